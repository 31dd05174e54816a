import { describe, expect, it } from "vitest";
import { declaration, NOW } from "./fixtures";
import { lowerLevels, narrowingOf, typedNames, ways, type NarrowDraft } from "./narrowing";

const draft: NarrowDraft = { how: "ends", until: "", level: null, kind: null, ids: [], block: "" };
const two = declaration({ scope: { kind: "site", ids: ["east", "west"], text_ja: "", text_en: "" } });
const whole = declaration({ scope: { kind: "tenant", ids: [], text_ja: "", text_en: "" } });

describe("narrowing", () => {
  it("goes down only", () => {
    expect(lowerLevels("second")).toEqual(["first", "recovery"]);
    expect(lowerLevels("first")).toEqual(["recovery"]);
    expect(lowerLevels("alert")).toEqual([]);
  });
  it("offers what makes sense", () => {
    expect(ways(two)).toEqual(["ends", "level", "scope", "block"]);
    expect(ways(declaration({ level: "alert" }))).toEqual(["ends", "block"]);
    expect(ways(declaration({ drill: true }))).not.toContain("level");
  });
  it("ends earlier than now planned, and not in the past", () => {
    const until = (field: string) => narrowingOf({ ...draft, until: field }, two, NOW);
    expect(until("2026-07-04T12:00")).toEqual({ ends_at: "2026-07-04T03:00:00.000Z" });
    for (const field of ["", "2026-07-03T12:00", "2026-07-06T11:55", "2026-07-09T12:00"]) {
      expect(until(field), field).toBe("endsMust");
    }
  });
  it("keeps a part of the scope, never all, none or something else", () => {
    const keep = (ids: string[]) => narrowingOf({ ...draft, how: "scope", ids }, two, NOW);
    expect(keep(["west"])).toEqual({ scope: { kind: "site", ids: ["west"] } });
    for (const ids of [[], ["east", "west"], ["north"]]) {
      expect(keep(ids)).toBe("scopeMust");
    }
    expect(narrowingOf({ ...draft, how: "scope", kind: "duty", ids: ["b", "a"] }, whole, NOW)).toEqual({
      scope: { kind: "duty", ids: ["a", "b"] },
    });
    expect(narrowingOf({ ...draft, how: "scope", ids: ["a"] }, whole, NOW)).toBe("scopeMust");
  });
  it("takes names as people type them", () => {
    expect(typedNames(" satou.hanako、ｓuzuki,\n satou.hanako ")).toEqual(["satou.hanako", "suzuki"]);
    expect(narrowingOf({ ...draft, how: "block", block: " 、 " }, two, NOW)).toBe("blockMust");
  });
});
