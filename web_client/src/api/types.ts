/**
 * Shapes of the gateway's HTTP API, as its OpenAPI document states them. Times are ISO 8601 in UTC.
 * Every `*_ja` / `*_en` pair is text for people and is shown as text only.
 */

export interface PublicText {
  readonly code: string;
  readonly text_ja: string;
  readonly text_en: string;
}

export type LoginStepName = "password" | "totp" | "enrol" | "recovery_codes" | "change_password" | "done";

export interface LoginError extends PublicText {
  readonly retry_after_seconds?: number | null;
}

export interface LoginState {
  readonly step: LoginStepName;
  readonly error: LoginError | null;
  readonly display_name?: string | null;
  readonly recovery_codes?: readonly string[] | null;
  /** The authenticator being set up is one that two officials vouched for. */
  readonly temporary_factor?: boolean;
}

export interface Enrolment {
  readonly secret: string;
  readonly otpauth_uri: string;
  readonly qr_svg: string;
}

export interface Me {
  readonly user: {
    readonly id: string;
    readonly username: string;
    readonly display_name: string;
    readonly department: string | null;
  };
  readonly tenant: { readonly id: string; readonly name_ja: string; readonly name_en: string };
  readonly csrf_token: string;
  readonly roles: readonly string[];
  readonly web_session: { readonly idle_expires_at: string; readonly expires_at: string; readonly totp_at?: string | null };
  readonly recovery_codes_left: number;
  /** What the person must know of this log-in: degraded, or on a temporary authenticator. */
  readonly banners: readonly { readonly text_ja: string; readonly text_en: string }[];
}

export interface NewRecoveryCodes extends StepUp {
  readonly recovery_codes: readonly string[] | null;
}

export interface CardInForce {
  readonly number: string;
  readonly issued_at: string;
}

/** A new emergency card as PDF in base64; it is sent this once. */
export interface PrintedCard extends StepUp {
  readonly pdf: string | null;
  readonly card: CardInForce | null;
}

export interface StepUp {
  readonly error: LoginError | null;
  /** The log-in is renewed with the code: its old token is void. */
  readonly csrf_token: string;
}

export interface WebSessionInfo {
  readonly id: string;
  readonly current: boolean;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly source: string | null;
  readonly label: string | null;
}

export type Quality = "high" | "standard" | "slow";

export interface Obligations {
  readonly clipboard_in_chars: number;
  readonly clipboard_out_chars: number;
  readonly view_only: boolean;
  readonly watermark: boolean;
  readonly idle_limit_seconds: number;
  readonly total_limit_seconds: number;
  readonly quality: Quality;
}

export type SessionState =
  | "requested"
  | "queued"
  | "starting"
  | "ready"
  | "active"
  | "disconnected"
  | "parked"
  | "ending"
  | "ended";

/** Where the person stands in a queue, and for what they wait. */
export interface SessionQueue {
  readonly place: number;
  readonly ahead: number;
  readonly estimate_seconds: number | null;
  readonly reason: "seat" | "site_line" | "start_gate";
  readonly priority: string;
}

/** The seat is needed for urgent work: it has to be given up at that moment. */
export interface SessionWarning {
  readonly kind: "preemption";
  readonly at: string;
  readonly reason_ja: string;
  readonly reason_en: string;
  readonly phone_ja: string | null;
  readonly phone_en: string | null;
}

export interface SessionInfo {
  readonly id: string;
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly state: SessionState;
  readonly stage_ja: string | null;
  readonly stage_en: string | null;
  readonly end_reason: string | null;
  readonly end_text_ja: string | null;
  readonly end_text_en: string | null;
  readonly short_code: string;
  readonly created_at: string;
  readonly active_seconds: number;
  readonly obligations: Obligations;
  readonly expires_at: string | null;
  /** True when a viewer of another web session holds the desktop now; older gateways do not say. */
  readonly held_elsewhere?: boolean;
  /** While it waits for a seat. */
  readonly queue?: SessionQueue | null;
  /** The seat is ready and held until then, if others wait. */
  readonly held_until?: string | null;
  readonly warning?: SessionWarning | null;
  /** What is declared for it; only when one session is asked for. */
  readonly notices?: readonly BcpNotice[];
}

export interface DesktopReason extends PublicText {
  readonly available_from: string | null;
}

export interface DesktopInfo {
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly zone: string | null;
  readonly zone_ja: string | null;
  readonly zone_en: string | null;
  readonly kind: "agent" | "static";
  readonly allowed: boolean;
  readonly reason: DesktopReason | null;
  readonly obligations: Obligations | null;
  readonly session: SessionInfo | null;
  readonly seats: { readonly used: number; readonly total: number } | null;
  readonly unreachable: Unreachable | null;
}

/** A fixed desktop that did not answer when it was last tried. */
export interface Unreachable {
  readonly since: string;
  readonly text_ja: string;
  readonly text_en: string;
  readonly instead_pool_id: string | null;
}

export interface Ticket {
  readonly ticket: string;
  readonly expires_in_seconds: number;
}

/** RFC 9457 problem document with our public texts. */
export interface Problem extends PublicText {
  readonly title: string;
  readonly status: number;
  readonly request_id?: string | null;
  readonly retry_after_seconds?: number | null;
  /** Which BCP rule said no; its own words are in the texts. */
  readonly refusal?: string | null;
}

/** What a signed-in person is told while BCP mode changes their rights. The texts say what, who and whom to call. */
export interface BcpNotice {
  readonly kind: string;
  readonly text_ja: string;
  readonly text_en: string;
  readonly until: string | null;
  readonly contact_ja?: string | null;
  readonly contact_en?: string | null;
}

/** The same without any detail, for people who are not signed in. */
export interface PublicNotice {
  readonly bcp: { readonly text_ja: string; readonly text_en: string; readonly drill: boolean } | null;
}
