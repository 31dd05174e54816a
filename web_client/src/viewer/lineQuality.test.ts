import { describe, expect, it } from "vitest";
import { RoundTrips, grade } from "./lineQuality";

describe("grade", () => {
  it("is good to 80 ms, fair to 200 ms, poor above", () => {
    expect([null, 0, 80, 81, 200, 201].map(grade)).toEqual(["unknown", "good", "good", "fair", "fair", "poor"]);
  });
});

describe("RoundTrips", () => {
  it("tells the median, so that one slow answer makes no slow line", () => {
    const trips = new RoundTrips();
    expect([20, 900, 30, 25].map((ms) => trips.add(ms))).toEqual([20, 20, 30, 25]);
  });
  it("forgets all but the last five", () => {
    const trips = new RoundTrips();
    expect([10, 10, 10, 300, 300, 300].map((ms) => trips.add(ms)).at(-1)).toBe(300);
  });
});
