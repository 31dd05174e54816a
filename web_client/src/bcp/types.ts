/** Shapes of the BCP part of the gateway's API. Times are ISO 8601 in UTC; `*_ja` / `*_en` pairs are shown as text only. */

export type ScopeKind = "tenant" | "site" | "department" | "duty";
export type Level = "alert" | "first" | "second" | "recovery";
export type Cause = "earthquake" | "storm_flood" | "heavy_snow" | "infection" | "outage" | "other";
export type DeclarationState = "draft" | "awaiting_approval" | "active" | "lifted" | "expired" | "lapsed" | "rejected";
export type Step = "approve" | "reject" | "extend" | "extend_approve" | "narrow" | "lift" | "ratify";

export interface Scope {
  readonly kind: ScopeKind;
  readonly ids: readonly string[];
}

export interface ShownScope extends Scope {
  readonly text_ja: string;
  readonly text_en: string;
}

/** What a drill pretends. */
export interface Injects {
  readonly absent_percent: number;
  readonly directory_off: boolean;
  readonly sites_down: readonly string[];
  readonly half_capacity: boolean;
}

export interface ShownInjects extends Omit<Injects, "sites_down"> {
  readonly sites_down: readonly Named[];
}

export interface Proposal {
  readonly scope: Scope;
  readonly level: Level;
  readonly plan_id: string;
  readonly cause: Cause;
  readonly reason: string;
  readonly ends_at: string | null;
  readonly drill: boolean;
  readonly break_glass: boolean;
  readonly absent: boolean;
  readonly supersedes: string | null;
  readonly injects: Injects;
}

export interface SignatureView {
  readonly person: string;
  readonly department: string | null;
  readonly role: string;
  readonly at: string;
  readonly listed_rank: number | null;
  readonly acting: boolean;
  /** Digest of the what-if result that this person had on the screen; older gateways do not say. */
  readonly seen_diff?: string | null;
}

export interface PendingExtension {
  readonly ends_at: string;
  readonly digest: string;
  readonly lapses_at: string;
  readonly person: string;
  /** Digest of the effect that the first person saw. */
  readonly seen_diff: string | null;
}

export interface DeclarationView {
  readonly id: string;
  readonly scope: ShownScope;
  readonly level: Level;
  readonly level_ja: string;
  readonly level_en: string;
  readonly plan: { readonly id: string; readonly version: number; readonly name_ja: string; readonly name_en: string };
  readonly cause: Cause;
  readonly cause_ja: string;
  readonly cause_en: string;
  readonly reason: string;
  readonly drill: boolean;
  /** What the drill pretends; null where it pretends nothing. */
  readonly injects: ShownInjects | null;
  readonly break_glass: boolean;
  readonly state: DeclarationState;
  readonly created_at: string;
  readonly starts_at: string | null;
  readonly ends_at: string;
  readonly lapses_at: string | null;
  /** Set while a break-glass is not ratified: the end it gets when it is. */
  readonly planned_end: string | null;
  readonly ended_at: string | null;
  readonly end_note: string;
  readonly digest: string;
  readonly pending: PendingExtension | null;
  readonly signatures: readonly SignatureView[];
  /** What the caller may do with it now, as the gateway decides. */
  readonly may: readonly Step[];
}

export interface OfficialView {
  readonly username: string;
  readonly rank: number;
  readonly title_ja: string;
  readonly title_en: string;
}

export interface PoolLoad {
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly used: number;
  readonly total: number;
  readonly queued: number;
}

export interface BcpStatus {
  readonly now: string;
  readonly me: {
    readonly roles: readonly string[];
    readonly official: { readonly rank: number; readonly title_ja: string; readonly title_en: string } | null;
    readonly totp_fresh_until: string | null;
  };
  readonly active: readonly DeclarationView[];
  readonly waiting: readonly DeclarationView[];
  readonly officials: readonly OfficialView[];
  readonly pools: readonly PoolLoad[];
  readonly people_working: number;
}

export interface PlanView {
  readonly id: string;
  readonly version: number;
  readonly name_ja: string;
  readonly name_en: string;
  readonly levels: readonly Level[];
  readonly has_drill: boolean;
  readonly contact_ja: string;
  readonly contact_en: string;
  readonly widenings: readonly { readonly level: Level; readonly text_ja: string; readonly text_en: string }[];
}

export interface Named {
  readonly id: string;
  readonly name_ja: string;
  readonly name_en: string;
}

export interface Scopes {
  readonly sites: readonly Named[];
  readonly departments: readonly Named[];
  readonly duties: readonly (Named & { readonly priority: string | number })[];
}

/** A named network, or everywhere else. */
export interface Place {
  readonly name_ja: string;
  readonly name_en: string;
}

/** Who gains a pool at some time until the end, from some place. */
export interface Gain {
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly people: number;
  /** How many of `people` gain it at the moment of asking, and when the first of the others does. */
  readonly now: number;
  readonly later_at: string | null;
  /** How many of `people` only once they have used up the days of the week that the usual rules allow. */
  readonly used_up: number;
  /** From where; null for wherever was tried. */
  readonly places: readonly Place[] | null;
  readonly named: readonly { readonly username: string; readonly display_name: string; readonly department: string | null }[];
  /** How many of `people` are not in `named`. */
  readonly more: number;
}

/** Whether what is expected at once fits; `everybody` is what if all who gain come at the same time. */
export interface Fit {
  readonly total: number;
  readonly used: number;
  readonly forecast: number;
  readonly everybody: number;
  readonly short: number;
}

export interface SeatsFit extends Fit {
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
}

/** Counted in sessions; `peak_mbps` is all of them at their busiest. */
export interface LineFit extends Fit {
  readonly site_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly line_mbps: number;
  readonly average_mbps: number;
  readonly peak_mbps: number;
}

export interface WhatIf {
  readonly digest: string;
  readonly base_people: number;
  readonly gain_people: number;
  readonly gain_now: number;
  /** All of this time was tried, from each of the places. */
  readonly tried_from: string;
  readonly tried_until: string;
  readonly tried_places: readonly Place[];
  readonly gains: readonly Gain[];
  readonly forbidden: readonly {
    readonly rule_id: string;
    readonly text_ja: string;
    readonly text_en: string;
    readonly people: number;
  }[];
  readonly capacity: readonly SeatsFit[];
  readonly lines: readonly LineFit[];
  /** Pools whose site, or its line, the register does not know. */
  readonly unplaced: readonly string[];
  readonly gateway: Fit & { readonly load_percent: number };
  /** How many of those who gain are expected at once. */
  readonly at_once_percent: number;
  readonly told: {
    readonly people: number;
    readonly with_address: number;
    readonly officials: number;
    readonly channels: readonly string[];
  };
  readonly elapsed_ms: number;
}

export interface DutyScore extends Named {
  readonly roster: number;
  readonly absent: number;
  readonly within_hour: number;
  readonly refused: number;
  readonly preempted: number;
}

/** How well it went so far; `p1_*` are the people of duties of class P0 and P1. */
export interface ScoreView {
  readonly seconds_to_declare: number | null;
  readonly alone: boolean;
  readonly p1_roster: number;
  readonly p1_within_hour: number;
  readonly refused: number;
  readonly refused_people: number;
  readonly preempted: number;
  readonly absent: number;
  readonly rehearsed: number;
  readonly rehearsed_failed: number;
  readonly duties: readonly DutyScore[];
}

/** What an emergency left behind; hashes of the normal rules before it and now. */
export interface Leftovers {
  readonly may_restore: boolean;
  /** The directory has to answer, and the person to be logged in as usual, before anything can be taken back. */
  readonly needs_directory: boolean;
  readonly temporary: readonly {
    readonly id: string;
    readonly username: string;
    readonly display_name: string;
    readonly state: string;
    readonly opened_at: string;
    readonly expires_at: string;
  }[];
  readonly cards: readonly {
    readonly username: string;
    readonly display_name: string;
    readonly number: string;
    readonly issued_at: string;
  }[];
  readonly verifiers: number;
  readonly in_grace: number;
  readonly others_active: number;
  readonly rules_before: string;
  readonly rules_now: string;
}

export interface Narrowing {
  readonly scope?: Scope;
  readonly level?: Level;
  readonly ends_at?: string;
  readonly block?: readonly string[];
}
