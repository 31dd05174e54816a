import { describe, expect, it } from "vitest";
import { idleSecondsLeft, totalWarning } from "./limits";

describe("idleSecondsLeft", () => {
  it("warns from 60 s before the limit", () => {
    expect(idleSecondsLeft(839_000, 0, 900)).toBeNull();
    expect(idleSecondsLeft(840_000, 0, 900)).toBe(60);
    expect(idleSecondsLeft(899_500, 0, 900)).toBe(1);
    expect(idleSecondsLeft(950_000, 0, 900)).toBe(0);
  });
  it("warns for half of a very short limit only", () => {
    expect(idleSecondsLeft(20_000, 0, 60)).toBeNull();
    expect(idleSecondsLeft(30_000, 0, 60)).toBe(30);
  });
  it("does not warn when there is no limit", () => {
    expect(idleSecondsLeft(10_000_000, 0, 0)).toBeNull();
  });
});

describe("totalWarning", () => {
  const end = 60 * 60_000;
  it("warns at ten minutes and urgently at two", () => {
    expect(totalWarning(end - 11 * 60_000, end)).toBeNull();
    expect(totalWarning(end - 10 * 60_000, end)).toEqual({ minutes: 10, urgent: false });
    expect(totalWarning(end - 2 * 60_000, end)).toEqual({ minutes: 2, urgent: true });
    expect(totalWarning(end + 5_000, end)).toEqual({ minutes: 1, urgent: true });
  });
  it("keeps quiet without a readable end", () => {
    expect(totalWarning(0, null)).toBeNull();
    expect(totalWarning(0, Number.NaN)).toBeNull();
  });
});
