/** Pure: what a coordinator fills in, step by step; what is still missing; and the proposal it becomes. */
import { fromTokyoField, hoursFrom } from "./tokyoTime";
import type { Cause, DeclarationView, Injects, Level, PlanView, Proposal, ScopeKind } from "./types";

export type Flow = "declare" | "drill" | "break-glass";
export type StepName = "cause" | "scope" | "level" | "duration" | "sign";

export interface Draft {
  readonly cause: Cause | null;
  readonly reason: string;
  readonly kind: ScopeKind | null;
  readonly ids: readonly string[];
  readonly level: Level | null;
  readonly planId: string | null;
  /** Hours from now, or "until" for the moment in `until` (Tokyo field). */
  readonly hours: number | "until";
  readonly until: string;
  /** Takes the place of the declaration that holds for the same scope. */
  readonly replace: boolean;
  /** Drill only. */
  readonly injects: Injects;
  /** Break-glass only: "nobody can be reached who could approve". */
  readonly alone: boolean;
}

export type Problem =
  | "causeMissing"
  | "reasonMissing"
  | "reasonTooLong"
  | "kindMissing"
  | "idsMissing"
  | "levelMissing"
  | "planMissing"
  | "planWithoutLevel"
  | "aloneMissing"
  | "untilMissing"
  | "untilPast"
  | "untilTooLong";

export const REASON_LIMIT = 500;

export const NOTHING_PRETENDED: Injects = {
  absent_percent: 0,
  directory_off: false,
  sites_down: [],
  half_capacity: false,
};

const DAY = 24;

/** Durations to choose from, in hours; the first is the default, the last the longest that is allowed. */
const DURATIONS = { alert: [72, 24, 7 * DAY], activation: [72, 24, 7 * DAY, 14 * DAY], drill: [2, 1, 4, 8] } as const;

export function durations(flow: Flow, level: Level | null): readonly number[] {
  return DURATIONS[flow === "drill" ? "drill" : level === "alert" ? "alert" : "activation"];
}

export function stepsOf(flow: Flow): readonly StepName[] {
  return flow === "break-glass"
    ? ["cause", "scope", "level", "sign"]
    : ["cause", "scope", "level", "duration", "sign"];
}

/** Alone one may only go to level 1; a drill drills an activation. */
export function levelsOf(flow: Flow): readonly Level[] {
  return flow === "break-glass" ? ["first"] : flow === "drill" ? ["first", "second"] : ["alert", "first", "second"];
}

export function plansOf(flow: Flow, plans: readonly PlanView[]): readonly PlanView[] {
  return flow === "drill" ? plans.filter((plan) => plan.has_drill) : plans;
}

export function emptyDraft(flow: Flow, plans: readonly PlanView[] = []): Draft {
  const usable = plansOf(flow, plans);
  return {
    cause: null,
    reason: "",
    kind: null,
    ids: [],
    level: flow === "break-glass" ? "first" : null,
    // With one plan there is nothing to choose.
    planId: usable.length === 1 ? (usable[0]?.id ?? null) : null,
    hours: durations(flow, null)[0] ?? 72,
    until: "",
    replace: true,
    alone: false,
    injects: NOTHING_PRETENDED,
  };
}

/** Choosing another level may make the chosen duration too long: then it falls back to the default. */
export function withLevel(draft: Draft, flow: Flow, level: Level): Draft {
  const allowed = durations(flow, level);
  const keep = draft.hours === "until" || allowed.includes(draft.hours);
  return { ...draft, level, hours: keep ? draft.hours : (allowed[0] ?? 72) };
}

/** When it would end, in ms; null when the draft does not say. */
export function endOf(draft: Draft, now: number): number | null {
  return draft.hours === "until" ? fromTokyoField(draft.until) : hoursFrom(now, draft.hours);
}

export interface Surroundings {
  readonly flow: Flow;
  readonly plans: readonly PlanView[];
  readonly now: number;
}

/** What keeps this step from being done, in the order of the fields on the page. */
export function problems(step: StepName, draft: Draft, around: Surroundings): readonly Problem[] {
  switch (step) {
    case "cause":
      return causeProblems(draft, around.flow);
    case "scope":
      return draft.kind === null ? ["kindMissing"] : draft.kind !== "tenant" && draft.ids.length === 0 ? ["idsMissing"] : [];
    case "level":
      return levelProblems(draft, around.plans);
    case "duration":
      return durationProblems(draft, around);
    case "sign":
      return [];
  }
}

function causeProblems(draft: Draft, flow: Flow): readonly Problem[] {
  const found: Problem[] = [];
  if (draft.cause === null) {
    found.push("causeMissing");
  }
  const length = [...draft.reason.trim()].length;
  if (length === 0) {
    found.push("reasonMissing");
  } else if (length > REASON_LIMIT) {
    found.push("reasonTooLong");
  }
  if (flow === "break-glass" && !draft.alone) {
    found.push("aloneMissing");
  }
  return found;
}

function levelProblems(draft: Draft, plans: readonly PlanView[]): readonly Problem[] {
  const found: Problem[] = [];
  if (draft.level === null) {
    found.push("levelMissing");
  }
  const plan = plans.find((one) => one.id === draft.planId);
  if (plan === undefined) {
    found.push("planMissing");
  } else if (draft.level !== null && draft.level !== "alert" && !plan.levels.includes(draft.level)) {
    found.push("planWithoutLevel");
  }
  return found;
}

function durationProblems(draft: Draft, { flow, now }: Surroundings): readonly Problem[] {
  if (draft.hours !== "until") {
    return [];
  }
  return untilProblems(draft.until, now, Math.max(...durations(flow, draft.level)));
}

/** A typed end: there, to come, and not further away than `longest` hours. */
export function untilProblems(until: string, now: number, longest: number): readonly Problem[] {
  const end = fromTokyoField(until);
  if (end === null) {
    return ["untilMissing"];
  }
  return end <= now ? ["untilPast"] : end > now + longest * 3_600_000 ? ["untilTooLong"] : [];
}

/** The active declaration for the very same scope that this one would take the place of. */
export function replaceable(draft: Draft, flow: Flow, active: readonly DeclarationView[]): DeclarationView | null {
  if (flow !== "declare" || draft.kind === null) {
    return null;
  }
  const wanted = [...draft.ids].sort().join("\n");
  const same = (one: DeclarationView) =>
    !one.drill && one.scope.kind === draft.kind && [...one.scope.ids].sort().join("\n") === wanted;
  return active.find(same) ?? null;
}

/** The finished proposal. Call it once, when the signing begins: its end must not move while people read. */
export function toProposal(
  draft: Draft,
  flow: Flow,
  now: number,
  active: readonly DeclarationView[] = [],
): Proposal | null {
  const { cause, kind, level, planId } = draft;
  if (cause === null || kind === null || level === null || planId === null) {
    return null;
  }
  const end = flow === "break-glass" ? null : endOf(draft, now);
  return {
    scope: { kind, ids: kind === "tenant" ? [] : [...draft.ids].sort() },
    level,
    plan_id: planId,
    cause,
    reason: draft.reason.trim(),
    ends_at: end === null ? null : new Date(end).toISOString(),
    drill: flow === "drill",
    break_glass: flow === "break-glass",
    absent: false,
    supersedes: draft.replace ? (replaceable(draft, flow, active)?.id ?? null) : null,
    injects: flow === "drill" ? draft.injects : NOTHING_PRETENDED,
  };
}
