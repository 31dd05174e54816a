/** Pure: a plan in the form and as the text of a plan file. JSON is YAML: the gateway reads both with one parser. */
import type { PlanContent, PlanProblem, Widening } from "./types";

const NOTHING = { ja: "", en: "" };

export function newWidening(taken: readonly string[]): Widening {
  let number = 1;
  while (taken.includes(`W${number}`)) {
    number += 1;
  }
  return {
    id: `W${number}`,
    name: NOTHING,
    who: {},
    approval: NOTHING,
    places: { anywhere: true },
    targets: {},
    terms: { total_limit: "8h", idle_limit: "15m" },
  };
}

export function newPlan(): PlanContent {
  return {
    id: "",
    version: 1,
    name: NOTHING,
    grace: "30m",
    contact: NOTHING,
    texts: { allowed: NOTHING, forbidden: NOTHING },
    first: [newWidening([])],
  };
}

/** Ids of all lines, as a drill may use them. */
export function lineIds(plan: PlanContent): readonly string[] {
  return [...new Set([...plan.first, ...(plan.second ?? [])].map((line) => line.id))];
}

/** The text of a file with this plan alone; what was left empty is left out. */
export function textOf(plan: PlanContent): string {
  return JSON.stringify({ format: 1, plans: [tidy(plan)] });
}

/** Names separated by commas, Japanese commas or new lines. */
export function splitNames(typed: string): readonly string[] {
  return typed
    .split(/[,、，\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

export function joinNames(names: readonly string[] | undefined): string {
  return (names ?? []).join("、");
}

/** Those that lie at a place of the plan or inside it, such as "first[0]". */
export function problemsAt(problems: readonly PlanProblem[], place: string): readonly PlanProblem[] {
  const path = `plans[0].${place}`;
  return problems.filter(
    (one) => one.path === path || one.path.startsWith(`${path}.`) || one.path.startsWith(`${path}[`),
  );
}

/** Those that lie at none of the places. */
export function otherProblems(problems: readonly PlanProblem[], places: readonly string[]): readonly PlanProblem[] {
  const placed = new Set(places.flatMap((place) => problemsAt(problems, place)));
  return problems.filter((one) => !placed.has(one));
}

/** Texts that must be there stay, even empty: the gateway then says which one is missing. */
const REQUIRED = new Set(["name", "approval", "contact", "allowed", "forbidden", "who", "places", "targets"]);
/** Where "no" says nothing. Elsewhere it does: only unregistered devices is not any device. */
const OFF = new Set(["substitutes", "view_only"]);

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(tidy);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const kept = Object.entries(value)
    .map(([key, part]) => [key, tidy(part)] as const)
    .filter(([key, part]) => REQUIRED.has(key) || !(isEmpty(part) || (part === false && OFF.has(key))));
  return Object.fromEntries(kept);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) {
    return true;
  }
  if (Array.isArray(value)) {
    return value.length === 0;
  }
  if (typeof value === "object") {
    const parts = Object.entries(value);
    return parts.length === 0 || parts.every(([key, part]) => (key === "ja" || key === "en") && part === "");
  }
  return value === "";
}
