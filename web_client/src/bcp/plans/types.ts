/** A plan as its file spells it, and its versions as the gateway lists them. */

export interface Bilingual {
  readonly ja: string;
  readonly en: string;
}

export interface Who {
  readonly groups?: readonly string[];
  readonly departments?: readonly string[];
  readonly employment?: readonly string[];
  readonly duties?: readonly string[];
  readonly conditional_duties?: readonly string[];
  readonly substitutes?: boolean;
}

export interface Widening {
  readonly id: string;
  readonly name: Bilingual;
  readonly who: Who;
  readonly approval: Bilingual;
  readonly days_a_week?: number;
  readonly places: {
    readonly anywhere?: boolean;
    readonly networks?: readonly string[];
    readonly sites?: readonly string[];
  };
  readonly devices?: { readonly kinds?: readonly string[]; readonly registered?: boolean };
  readonly hours?: { readonly windows?: readonly string[]; readonly days?: string | readonly string[] };
  readonly targets: {
    readonly pools?: readonly string[];
    readonly classes?: readonly string[];
    readonly sites?: readonly string[];
    readonly zones?: readonly string[];
  };
  readonly terms?: {
    readonly idle_limit?: string;
    readonly total_limit?: string;
    readonly quality?: string;
    readonly view_only?: boolean;
    readonly clipboard_in_chars?: number;
    readonly clipboard_out_chars?: number;
  };
}

export type PlanLevel = "first" | "second";

export interface PlanCapacity {
  readonly pool: string;
  readonly level: PlanLevel;
  readonly seats: number;
  readonly reserved_percent: number;
}

export interface PlanContent {
  readonly id: string;
  readonly version: number;
  readonly name: Bilingual;
  readonly grace?: string;
  readonly contact: Bilingual;
  readonly texts: { readonly allowed: Bilingual; readonly forbidden: Bilingual };
  readonly first: readonly Widening[];
  readonly second?: readonly Widening[];
  readonly capacity?: readonly PlanCapacity[];
  readonly drill?: {
    readonly pools: readonly string[];
    readonly first?: readonly string[];
    readonly second?: readonly string[];
  };
}

export interface PlanProblem {
  readonly severity: "error" | "warning";
  readonly path: string;
  readonly rule: string | null;
  readonly line: number | null;
  readonly text_ja: string;
  readonly text_en: string;
}

export interface PlanPerson {
  readonly username: string;
  readonly display_name: string;
  readonly at: string;
}

export type Standing = "in_force" | "proposed" | "earlier" | "rejected" | "replaced" | "unusable";

export interface PlanVersion {
  readonly id: string;
  readonly plan_id: string;
  readonly version: number;
  readonly name_ja: string;
  readonly name_en: string;
  readonly standing: Standing;
  readonly from_file: boolean;
  readonly note: string;
  readonly proposed: PlanPerson | null;
  readonly adopted: PlanPerson | null;
  readonly digest: string;
  readonly may: readonly string[];
}

export interface PlanVersions {
  readonly items: readonly PlanVersion[];
  readonly problems: readonly PlanProblem[];
}

export interface PlanDetail {
  readonly version: PlanVersion;
  readonly content: PlanContent;
  readonly text: string;
  readonly next_version: number;
}

export interface PlanCheck {
  readonly ok: boolean;
  readonly problems: readonly PlanProblem[];
  readonly next_version: number | null;
}
