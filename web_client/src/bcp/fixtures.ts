/** Values for the unit tests of this folder: a declaration, a state and a plan with everything in them. */
import type { BcpStatus, DeclarationView, PlanView, SignatureView, WhatIf } from "./types";

export const NOW = Date.parse("2026-07-03T03:00:00Z");

export function signature(over: Partial<SignatureView> = {}): SignatureView {
  return {
    person: "橋本 玲",
    department: "危機管理監室",
    role: "proposed",
    at: "2026-07-03T02:50:00Z",
    listed_rank: null,
    acting: false,
    ...over,
  };
}

export function declaration(over: Partial<DeclarationView> = {}): DeclarationView {
  return {
    id: "dec_1",
    scope: { kind: "site", ids: ["east"], text_ja: "東支所", text_en: "East" },
    level: "first",
    level_ja: "発動（第1次）",
    level_en: "Activation, level 1",
    plan: { id: "quake", version: 3, name_ja: "大地震計画", name_en: "Earthquake" },
    cause: "earthquake",
    cause_ja: "地震",
    cause_en: "Earthquake",
    reason: "地震のため。",
    drill: false,
    injects: null,
    break_glass: false,
    state: "active",
    created_at: "2026-07-03T02:50:00Z",
    starts_at: "2026-07-03T02:55:00Z",
    ends_at: "2026-07-06T02:55:00Z",
    lapses_at: null,
    planned_end: null,
    ended_at: null,
    end_note: "",
    digest: "ab12cd34ef",
    pending: null,
    signatures: [signature()],
    may: [],
    ...over,
  };
}

export function waiting(over: Partial<DeclarationView> = {}): DeclarationView {
  return declaration({
    id: "dec_2",
    state: "awaiting_approval",
    starts_at: null,
    lapses_at: "2026-07-03T03:20:00Z",
    ...over,
  });
}

export function status(over: Partial<BcpStatus> = {}): BcpStatus {
  return {
    now: "2026-07-03T03:00:00Z",
    me: { roles: ["coordinator"], official: null, totp_fresh_until: null },
    active: [],
    waiting: [],
    officials: [],
    pools: [],
    people_working: 0,
    ...over,
  };
}

export function plan(over: Partial<PlanView> = {}): PlanView {
  return {
    id: "quake",
    version: 3,
    name_ja: "大地震計画",
    name_en: "Earthquake",
    levels: ["first", "second"],
    has_drill: true,
    contact_ja: "内線2201",
    contact_en: "ext. 2201",
    widenings: [],
    ...over,
  };
}

export function whatIf(over: Partial<WhatIf> = {}): WhatIf {
  return {
    digest: "645b3755aa",
    base_people: 30,
    gain_people: 9,
    gain_now: 9,
    tried_from: "2026-07-03T03:00:00Z",
    tried_until: "2026-07-06T03:00:00Z",
    tried_places: [],
    gains: [],
    forbidden: [],
    capacity: [],
    lines: [],
    unplaced: [],
    gateway: { total: 3000, used: 0, forecast: 0, everybody: 0, short: 0, load_percent: 5 },
    at_once_percent: 70,
    told: { people: 30, with_address: 0, officials: 2, channels: [] },
    elapsed_ms: 80,
    ...over,
  };
}
