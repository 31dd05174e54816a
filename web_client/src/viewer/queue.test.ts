import { describe, expect, it } from "vitest";
import type { SessionQueue } from "../api/types";
import { announcementKey, estimateMinutes, secondsUntil } from "./queue";

const queue = (over: Partial<SessionQueue> = {}): SessionQueue => ({
  place: 3,
  ahead: 2,
  estimate_seconds: 600,
  reason: "seat",
  priority: "P3",
  ...over,
});

describe("estimate", () => {
  it("is rounded up to minutes, and to five minutes when it is long", () => {
    expect([0, 1, 60, 61, 599, 600, 601, 3_540].map(estimateMinutes)).toEqual([1, 1, 1, 2, 10, 10, 15, 60]);
  });
});

describe("announcement", () => {
  it("is made when the place or the reason changes", () => {
    expect(announcementKey(queue({ place: 2 }))).not.toBe(announcementKey(queue()));
    expect(announcementKey(queue({ reason: "site_line" }))).not.toBe(announcementKey(queue()));
  });
  it("is not made for each minute that passes", () => {
    expect(announcementKey(queue({ estimate_seconds: 540 }))).toBe(announcementKey(queue()));
    expect(announcementKey(queue({ estimate_seconds: 60 }))).not.toBe(announcementKey(queue()));
  });
});

describe("countdown", () => {
  it("counts whole seconds and stops at zero", () => {
    const now = Date.parse("2026-11-25T00:00:00Z");
    expect(secondsUntil("2026-11-25T00:02:00Z", now)).toBe(120);
    expect(secondsUntil("2026-11-25T00:02:00Z", now + 500)).toBe(120);
    expect(secondsUntil("2026-11-24T00:00:00Z", now)).toBe(0);
    expect(secondsUntil(null, now)).toBeNull();
    expect(secondsUntil("never", now)).toBeNull();
  });
});
