import { describe, expect, it } from "vitest";
import { isOver, milestone, remaining, shortUrgency } from "./countdown";

const END = "2026-07-06T12:00:00Z";
const end = Date.parse(END);
const HOUR = 3_600_000;

describe("remaining", () => {
  it("counts hours beyond a day, and whole seconds up to the end", () => {
    expect(remaining(END, end - 71.5 * HOUR)).toMatchObject({ hours: 71, minutes: 30, seconds: 0, urgency: "calm" });
    expect(remaining(END, end - 1_500)).toMatchObject({ hours: 0, minutes: 0, seconds: 2, urgency: "last" });
  });
  it("grows more pressing at 24 h, 4 h and 1 h, exactly there", () => {
    const at = (before: number) => remaining(END, end - before).urgency;
    expect([at(24 * HOUR + 1), at(24 * HOUR), at(4 * HOUR + 1), at(4 * HOUR), at(HOUR + 1), at(HOUR), at(1), at(0)]).toEqual([
      "calm",
      "near",
      "near",
      "soon",
      "soon",
      "last",
      "last",
      "over",
    ]);
  });
  it("is over at the end, after it, and when the end cannot be read: never too much time", () => {
    for (const now of [end, end + HOUR]) {
      expect(isOver(END, now)).toBe(true);
    }
    expect(remaining("someday", 0)).toEqual({ urgency: "over", hours: 0, minutes: 0, seconds: 0 });
  });
});

describe("shortUrgency", () => {
  it("presses from ten minutes on", () => {
    const at = (before: number) => shortUrgency(remaining(END, end - before));
    expect([at(HOUR / 2), at(HOUR / 6), at(HOUR / 6 - 1_000), at(0)]).toEqual(["near", "near", "last", "over"]);
  });
});

describe("milestone", () => {
  it("is said once, by the look that passes it", () => {
    expect(milestone(END, end - 4 * HOUR - 1, end - 4 * HOUR)).toBe(4 * HOUR);
    expect(milestone(END, end - 4 * HOUR, end - 4 * HOUR + 1_000)).toBeNull();
    expect(milestone(END, end - 1, end)).toBe(0);
  });
  it("after a long sleep says only the latest one", () => {
    expect(milestone(END, end - 30 * HOUR, end - 0.5 * HOUR)).toBe(HOUR);
  });
});
