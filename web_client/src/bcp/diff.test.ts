import { describe, expect, it } from "vitest";
import { gainsByPeople, sameDiff, share, shortDigest, tightestFirst, totalShort } from "./diff";
import { whatIf } from "./fixtures";

const pool = (pool_id: string, total: number, forecast: number) => ({
  pool_id,
  name_ja: pool_id,
  name_en: pool_id,
  total,
  used: 0,
  forecast,
  everybody: forecast,
  short: Math.max(0, forecast - total),
});

describe("what a signature changes", () => {
  it("shows pools that are short of seats first, then the fullest", () => {
    const seats = tightestFirst([pool("calm", 100, 10), pool("full", 10, 10), pool("short", 6, 9)]);
    expect(seats.map((one) => one.pool_id)).toEqual(["short", "full", "calm"]);
    expect(totalShort(seats)).toBe(3);
  });
  it("lists the largest gains first and leaves out empty ones", () => {
    const gain = (pool_id: string, people: number) => ({
      ...{ pool_id, name_ja: "", name_en: "", people, now: people, later_at: null, used_up: 0, places: null },
      ...{ named: [], more: 0 },
    });
    const gains = gainsByPeople(whatIf({ gains: [gain("a", 5), gain("b", 0), gain("c", 9)] }));
    expect(gains.map((one) => one.pool_id)).toEqual(["c", "a"]);
  });
  it("never draws more than the whole bar", () => {
    expect([share(5, 10), share(12, 10), share(0, 0), share(1, 0), share(-1, 10)]).toEqual([0.5, 1, 0, 1, 0]);
  });
});

describe("check numbers", () => {
  it("are short enough to be read out", () => {
    expect(shortDigest("3d99350fcafe")).toBe("3D99-350F");
    expect(shortDigest("sha256:3d99350fcafe")).toBe("3D99-350F");
    expect(shortDigest("")).toBe("");
  });
  it("tell whether the first person saw the same list of people", () => {
    expect(sameDiff(whatIf(), "645b3755aa")).toBe("same");
    expect(sameDiff(whatIf(), "other")).toBe("changed");
    expect(sameDiff(whatIf(), undefined)).toBe("unknown");
  });
});
