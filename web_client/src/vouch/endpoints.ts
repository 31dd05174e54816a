/** One function per route of officials who vouch. No logic, only paths and types. */
import { request, type RequestOptions } from "../api/http";

export const CHECKS = ["in_person", "call_back", "video"] as const;
export type Check = (typeof CHECKS)[number];
export type VouchState = "open" | "confirmed" | "activated" | "enrolled";

export interface Vouch {
  readonly id: string;
  readonly state: VouchState;
  readonly user_id: string;
  readonly username: string;
  readonly display_name: string;
  readonly opened_by: string;
  readonly confirmed_by: string | null;
  readonly opened_at: string;
  readonly expires_at: string;
}

export interface VouchStep {
  readonly vouch: Vouch | null;
  readonly activation_code: string | null;
  readonly error: { readonly code: string; readonly text_ja: string; readonly text_en: string } | null;
}

const one = (id: string) => `/vouches/${encodeURIComponent(id)}`;

export const vouches = {
  list: (options: RequestOptions = {}) =>
    request<{ readonly items: readonly Vouch[] }>("GET", "/vouches", undefined, options),
  open: (username: string, check: Check) => request<VouchStep>("POST", "/vouches", { username, check }),
  confirm: (id: string, check: Check) => request<VouchStep>("POST", `${one(id)}/confirm`, { check }),
  end: (id: string) => request<void>("DELETE", one(id)),
};
