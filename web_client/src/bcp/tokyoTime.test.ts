import { describe, expect, it } from "vitest";
import { fromTokyoField, hoursFrom, toTokyoField } from "./tokyoTime";

describe("Tokyo time in a field without a zone", () => {
  it("goes there and back across the date line of UTC", () => {
    const time = Date.parse("2026-07-02T23:30:00Z");
    expect(toTokyoField(time)).toBe("2026-07-03T08:30");
    expect(fromTokyoField("2026-07-03T08:30")).toBe(time);
  });
  it("takes nothing half, and no day that does not exist", () => {
    for (const field of ["", "2026-07-03", "2026-07-03T8:30", "2026-02-30T08:30", "2026-07-03T25:00", "<b>"]) {
      expect(fromTokyoField(field), field).toBeNull();
    }
  });
});

describe("hoursFrom", () => {
  it("ends on a full minute and never later than asked for, even when the gateway's clock is behind", () => {
    const now = Date.parse("2026-07-03T03:00:02.500Z");
    expect(new Date(hoursFrom(now, 72)).toISOString()).toBe("2026-07-06T02:59:00.000Z");
    expect(hoursFrom(now, 72)).toBeLessThanOrEqual(now + 72 * 3_600_000);
  });
});
