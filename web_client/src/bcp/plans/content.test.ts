import { describe, expect, it } from "vitest";
import { joinNames, lineIds, newPlan, newWidening, otherProblems, problemsAt, splitNames, textOf } from "./content";
import type { PlanProblem } from "./types";

const problem = (path: string): PlanProblem => ({
  severity: "error", path, rule: null, line: null, text_ja: "誤り", text_en: "wrong",
});

describe("a plan in the form", () => {
  it("is the text of a file with one plan", () => {
    const plan = { ...newPlan(), id: "quake", name: { ja: "地震", en: "Quake" } };
    const file = JSON.parse(textOf(plan)) as { format: number; plans: Record<string, unknown>[] };
    expect(file.format).toBe(1);
    expect(file.plans).toHaveLength(1);
    expect(file.plans[0]).toMatchObject({ id: "quake", version: 1, name: { ja: "地震", en: "Quake" }, grace: "30m" });
  });
  it("leaves out what was left empty, and keeps what must be there", () => {
    const line = {
      ...newWidening([]),
      who: { groups: [], duties: ["water"], substitutes: false },
      devices: { kinds: [] },
      terms: { idle_limit: "", clipboard_in_chars: 0 },
    };
    const text = textOf({ ...newPlan(), id: "", first: [line], second: [], capacity: [], drill: { pools: [], first: [] } });
    const [plan] = (JSON.parse(text) as { plans: { first: Record<string, unknown>[] }[] }).plans;
    expect(Object.keys(plan ?? {}).sort()).toEqual(["contact", "first", "grace", "name", "texts", "version"]);
    expect(plan?.first[0]).toEqual({
      id: "W1",
      name: {},
      who: { duties: ["water"] },
      approval: {},
      places: { anywhere: true },
      targets: {},
      terms: { clipboard_in_chars: 0 },
    });
  });
  it("keeps a no that says something", () => {
    const line = { ...newWidening([]), devices: { registered: false }, terms: { view_only: false } };
    const [plan] = (JSON.parse(textOf({ ...newPlan(), first: [line] })) as { plans: { first: Record<string, unknown>[] }[] }).plans;
    expect(plan?.first[0]?.["devices"]).toEqual({ registered: false });
    expect(plan?.first[0]).not.toHaveProperty("terms");
  });
  it("keeps the cap of days as the number it is", () => {
    const text = textOf({ ...newPlan(), first: [{ ...newWidening([]), days_a_week: 4 }] });
    const [plan] = (JSON.parse(text) as { plans: { first: Record<string, unknown>[] }[] }).plans;
    expect(plan?.first[0]?.["days_a_week"]).toBe(4);
  });
  it("gives each new line an id of its own", () => {
    expect(newWidening(["W1", "W3"]).id).toBe("W2");
    expect(lineIds({ ...newPlan(), second: [newWidening(["W1"])] })).toEqual(["W1", "W2"]);
  });
  it("takes names as people type them", () => {
    expect(splitNames(" 総務課、税務課，water, a b\n\n x ")).toEqual(["総務課", "税務課", "water", "a b", "x"]);
    expect(splitNames(joinNames(["a", "b"]))).toEqual(["a", "b"]);
    expect(joinNames(undefined)).toBe("");
  });
  it("finds the problems of a place and no others", () => {
    const all = ["plans[0].first[1]", "plans[0].first[1].who", "plans[0].first[10]", "plans[0].id", "(file)"].map(problem);
    expect(problemsAt(all, "first[1]").map((one) => one.path)).toEqual(["plans[0].first[1]", "plans[0].first[1].who"]);
    expect(otherProblems(all, ["first[1]", "first[10]", "id"]).map((one) => one.path)).toEqual(["(file)"]);
  });
});
