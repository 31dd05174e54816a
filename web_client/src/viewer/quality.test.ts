import { describe, expect, it } from "vitest";
import { RoundTrips, grade } from "./lineQuality";
import { PRESETS, mayChoose } from "./quality";

describe("quality presets", () => {
  it("lets a person go below the policy's profile, never above", () => {
    expect(mayChoose("slow", "standard")).toBe(true);
    expect(mayChoose("standard", "standard")).toBe(true);
    expect(mayChoose("high", "standard")).toBe(false);
    expect(mayChoose("standard", "slow")).toBe(false);
  });
  it("stays within noVNC's levels", () => {
    for (const { quality, compression } of Object.values(PRESETS)) {
      expect(quality).toBeGreaterThanOrEqual(0);
      expect(quality).toBeLessThanOrEqual(9);
      expect(compression).toBeGreaterThanOrEqual(0);
      expect(compression).toBeLessThanOrEqual(9);
    }
  });
});

describe("line", () => {
  it("grades by round trip", () => {
    expect([null, 20, 150, 250].map(grade)).toEqual(["unknown", "good", "fair", "poor"]);
  });
  it("is not spoilt by one slow answer", () => {
    const trips = new RoundTrips();
    expect([30, 31, 900, 32, 33].map((ms) => trips.add(ms)).at(-1)).toBe(32);
  });
});
