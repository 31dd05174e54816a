import { describe, expect, it } from "vitest";
import {
  durations,
  emptyDraft,
  levelsOf,
  plansOf,
  problems,
  replaceable,
  stepsOf,
  toProposal,
  withLevel,
  type Draft,
  type Flow,
} from "./draft";
import { declaration, NOW, plan } from "./fixtures";

const plans = [plan(), plan({ id: "flu", levels: ["first"], has_drill: false })];

const filled: Draft = {
  ...emptyDraft("declare", plans),
  cause: "earthquake",
  reason: " 震度6弱。 ",
  kind: "site",
  ids: ["west", "east"],
  level: "first",
  planId: "quake",
};

const found = (step: Parameters<typeof problems>[0], draft: Draft, flow: Flow = "declare") =>
  problems(step, draft, { flow, plans, now: NOW });

describe("the way to a declaration", () => {
  it("takes five steps at most", () => {
    expect(stepsOf("declare")).toHaveLength(5);
    expect(stepsOf("drill")).toHaveLength(5);
    expect(stepsOf("break-glass")).not.toContain("duration");
  });
  it("offers what the rules allow: alone level 1 only, a drill no alert, drills only by plans that have one", () => {
    expect(levelsOf("break-glass")).toEqual(["first"]);
    expect(levelsOf("drill")).toEqual(["first", "second"]);
    expect(levelsOf("declare")).not.toContain("recovery");
    expect(plansOf("drill", plans).map((one) => one.id)).toEqual(["quake"]);
  });
  it("has 72 hours as the default, seven days for an alert, fourteen for an activation, eight hours for a drill at most", () => {
    expect(durations("declare", "first")[0]).toBe(72);
    expect(Math.max(...durations("declare", "alert"))).toBe(7 * 24);
    expect(Math.max(...durations("declare", "second"))).toBe(14 * 24);
    expect(Math.max(...durations("drill", "first"))).toBe(8);
  });
  it("chooses the only plan by itself, and none of several", () => {
    expect(emptyDraft("declare", [plan()]).planId).toBe("quake");
    expect(emptyDraft("declare", plans).planId).toBeNull();
    expect(emptyDraft("drill", plans).planId).toBe("quake");
  });
});

describe("problems", () => {
  it("names everything that is missing, in the order of the page", () => {
    expect(found("cause", emptyDraft("declare"))).toEqual(["causeMissing", "reasonMissing"]);
    expect(found("cause", { ...filled, reason: "  " })).toEqual(["reasonMissing"]);
    expect(found("cause", { ...filled, reason: "𠮷".repeat(500) })).toEqual([]);
    expect(found("cause", { ...filled, reason: "𠮷".repeat(501) })).toEqual(["reasonTooLong"]);
    expect(found("cause", filled, "break-glass")).toEqual(["aloneMissing"]);
    expect(found("scope", emptyDraft("declare"))).toEqual(["kindMissing"]);
    expect(found("scope", { ...filled, ids: [] })).toEqual(["idsMissing"]);
    expect(found("scope", { ...filled, kind: "tenant", ids: [] })).toEqual([]);
    expect(found("level", emptyDraft("declare"))).toEqual(["levelMissing", "planMissing"]);
    expect(found("level", { ...filled, planId: "gone" })).toEqual(["planMissing"]);
  });
  it("refuses a plan without the level, but an alert goes with any plan", () => {
    expect(found("level", { ...filled, planId: "flu", level: "second" })).toEqual(["planWithoutLevel"]);
    expect(found("level", { ...filled, planId: "flu", level: "alert" })).toEqual([]);
  });
  it("wants an end to come, and not beyond the longest", () => {
    const until = (field: string) => found("duration", { ...filled, hours: "until", until: field });
    expect(until("")).toEqual(["untilMissing"]);
    expect(until("2026-07-03T11:59")).toEqual(["untilPast"]);
    expect(until("2026-07-03T12:01")).toEqual([]);
    expect(until("2026-07-18T12:00")).toEqual(["untilTooLong"]);
  });
  it("finds nothing wrong with a full draft", () => {
    for (const step of stepsOf("declare")) {
      expect(found(step, filled), step).toEqual([]);
    }
  });
});

describe("withLevel", () => {
  it("falls back to the default when the chosen time is too long for the new level", () => {
    expect(withLevel({ ...filled, hours: 14 * 24 }, "declare", "alert").hours).toBe(72);
    expect(withLevel({ ...filled, hours: 24 }, "declare", "alert").hours).toBe(24);
    expect(withLevel({ ...filled, hours: "until" }, "declare", "alert").hours).toBe("until");
  });
});

describe("toProposal", () => {
  it("sorts, trims and gives the end as a moment", () => {
    expect(toProposal(filled, "declare", NOW)).toMatchObject({
      scope: { kind: "site", ids: ["east", "west"] },
      reason: "震度6弱。",
      ends_at: "2026-07-06T02:59:00.000Z",
      drill: false,
      break_glass: false,
      absent: false,
      supersedes: null,
    });
  });
  it("leaves the end of a break-glass to the gateway, and sends no names for the whole municipality", () => {
    const proposal = toProposal({ ...filled, kind: "tenant", ids: ["left over"] }, "break-glass", NOW);
    expect(proposal).toMatchObject({ ends_at: null, break_glass: true, scope: { kind: "tenant", ids: [] } });
  });
  it("is none while something is missing", () => {
    expect(toProposal(emptyDraft("declare"), "declare", NOW)).toBeNull();
  });
  it("takes the place of what holds for the very same scope, unless told not to; a drill never", () => {
    const same = declaration({ scope: { kind: "site", ids: ["east", "west"], text_ja: "", text_en: "" } });
    expect(toProposal(filled, "declare", NOW, [same])?.supersedes).toBe("dec_1");
    expect(toProposal({ ...filled, replace: false }, "declare", NOW, [same])?.supersedes).toBeNull();
    expect(toProposal(filled, "drill", NOW, [same])?.supersedes).toBeNull();
    expect(replaceable(filled, "declare", [declaration()])).toBeNull();
    expect(replaceable(filled, "declare", [{ ...same, drill: true }])).toBeNull();
  });
});
