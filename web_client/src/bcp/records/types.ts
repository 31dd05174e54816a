/** Shapes of the API's records: reach, call lists, reports, drills. Times are ISO 8601 in UTC, days as 2026-11-25. */
import type { DeclarationState, Level, Named, ScoreView, ShownScope } from "../types";

export type Standing = "failed" | "waiting" | "told" | "read" | "answered" | "working";
/** Classes of duties, highest first. */
export type Priority = "P0" | "P1" | "P2" | "P3" | "P4";
export type Ability = "can" | "partly" | "cannot";

/** `people` is `reached` and `not_reached` together; `silent` were told and gave no sign. */
export interface Tally {
  readonly people: number;
  readonly reached: number;
  readonly not_reached: number;
  readonly read: number;
  readonly silent: number;
  readonly working: number;
  readonly can: number;
  readonly partly: number;
  readonly cannot: number;
  readonly no_answer: number;
}

export interface ClassTally {
  readonly priority: Priority | null;
  readonly tally: Tally;
}

export interface DutyTally {
  readonly duty: Named;
  readonly priority: Priority;
  readonly department_ja: string;
  readonly department_en: string;
  readonly tally: Tally;
}

export interface ReachView {
  readonly now: string;
  readonly total: Tally;
  readonly classes: readonly ClassTally[];
  readonly duties: readonly DutyTally[];
}

export interface FollowedPerson {
  readonly username: string;
  readonly name: string;
  readonly department_ja: string;
  readonly department_en: string;
  readonly title: string;
  readonly priority: Priority | null;
  readonly duty: Named | null;
  readonly standing: Standing;
  readonly read_at: string | null;
  readonly ability: Ability | null;
  readonly note: string;
  readonly answered_at: string | null;
}

export interface CallList {
  readonly items: readonly FollowedPerson[];
  readonly more: number;
}

export interface CallLists {
  readonly not_reached: CallList;
  readonly silent: CallList;
  readonly limited: CallList;
}

export interface DutyPeople {
  readonly duty: Named;
  readonly priority: Priority;
  readonly people: readonly FollowedPerson[];
}

export interface Reported {
  readonly scope: ShownScope;
  readonly level: Level;
  readonly level_ja: string;
  readonly level_en: string;
  readonly plan_ja: string;
  readonly plan_en: string;
  readonly drill: boolean;
  readonly break_glass: boolean;
  readonly state: DeclarationState;
  readonly starts_at: string | null;
  readonly ended_at: string | null;
}

export interface ReportHead {
  readonly id: string;
  readonly declaration_id: string;
  readonly edition: number;
  readonly made_at: string;
  readonly made_by: string;
  /** Made by the gateway itself an hour after the end. */
  readonly automatic: boolean;
  readonly sha256: string;
  readonly about: Reported | null;
}

export interface ReportDetail {
  readonly head: ReportHead;
  /** The declaration and its grace were over when it was frozen. */
  readonly final: boolean;
  readonly window_from: string;
  readonly window_to: string;
  readonly events: number;
  readonly people: number;
  readonly sessions: number;
  readonly refused: number;
  readonly score: ScoreView;
  readonly follow_ups: readonly { readonly code: string; readonly count: number; readonly text_ja: string }[];
}

export type HalfState = "done" | "open" | "due_soon" | "overdue";

export interface HalfYear {
  readonly name_ja: string;
  readonly name_en: string;
  readonly first: string;
  readonly last: string;
  readonly state: HalfState;
  readonly drills: readonly { readonly declaration_id: string; readonly day: string }[];
}

export interface Drills {
  readonly overdue: boolean;
  readonly years: readonly { readonly name_ja: string; readonly name_en: string; readonly halves: readonly HalfYear[] }[];
}

export type QueueReason = "seat" | "site_line" | "start_gate";

/** A pool, live. Reserved seats are within `seats`; those for P0 are within those for P0 and P1. */
export interface PoolCapacity {
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly seats: number;
  readonly normal_seats: number;
  readonly used: number;
  readonly waiting: number;
  /** Others make room for P0 and P1 here. */
  readonly declared: boolean;
  readonly reserved_p0: number;
  readonly reserved_urgent: number;
  readonly classes: readonly { readonly priority: Priority; readonly used: number; readonly waiting: number }[];
  readonly reasons: readonly { readonly reason: QueueReason; readonly waiting: number }[];
  readonly longest_wait_seconds: number;
  readonly parked: number;
  readonly parking: number;
  readonly leaving: readonly {
    readonly session_id: string;
    readonly short_code: string;
    readonly person: string;
    readonly priority: Priority;
    readonly at: string;
  }[];
}

export interface Capacity {
  readonly now: string;
  readonly pools: readonly PoolCapacity[];
  readonly lines: readonly {
    readonly site: string;
    readonly name_ja: string;
    readonly name_en: string;
    readonly planned_mbps: number;
    /** 0: no budget is entered. */
    readonly budget_mbps: number;
  }[];
  readonly start_gate: boolean;
  readonly starts_per_minute: number;
}
