/** One function per BCP route of the gateway. No logic, only paths and types. */
import { request, type RequestOptions } from "../api/http";
import type { BcpStatus, DeclarationView, Leftovers, Narrowing, PlanView, Proposal, Scopes, ScoreView, WhatIf } from "./types";

interface Items<T> {
  readonly items: readonly T[];
}

/** What the second person signs: the declaration as shown, and the digest of the what-if result beside it. */
export interface Approval {
  readonly digest: string;
  readonly seen_diff?: string;
  readonly absent: boolean;
}

// The what-if looks at everybody at every pool, and the line may be bad on such a day.
const PATIENT: RequestOptions = { timeoutMs: 30_000 };

const step = (id: string, name: string, body: unknown) =>
  request<DeclarationView>("POST", `/bcp/declarations/${encodeURIComponent(id)}/${name}`, body, PATIENT);

export const bcp = {
  status: (options: RequestOptions = {}) => request<BcpStatus>("GET", "/bcp/status", undefined, options),
  plans: (options: RequestOptions = {}) => request<Items<PlanView>>("GET", "/bcp/plans", undefined, options),
  scopes: (options: RequestOptions = {}) => request<Scopes>("GET", "/bcp/scopes", undefined, options),
  history: (options: RequestOptions = {}) =>
    request<Items<DeclarationView>>("GET", "/bcp/declarations", undefined, options),
  declaration: (id: string, options: RequestOptions = {}) =>
    request<DeclarationView>("GET", `/bcp/declarations/${encodeURIComponent(id)}`, undefined, options),
  leftovers: (id: string, options: RequestOptions = {}) =>
    request<Leftovers>("GET", `/bcp/declarations/${encodeURIComponent(id)}/restore`, undefined, options),
  restore: (
    id: string,
    ticked: { readonly temporary: readonly string[]; readonly cards: readonly string[]; readonly verifiers: boolean },
  ) => request<Leftovers>("POST", `/bcp/declarations/${encodeURIComponent(id)}/restore`, ticked),
  score: (id: string, options: RequestOptions = {}) =>
    request<ScoreView>("GET", `/bcp/declarations/${encodeURIComponent(id)}/score`, undefined, { ...PATIENT, ...options }),
  /** `allNames`: of everybody who gains, instead of the first of each pool. */
  whatIf: (proposal: Proposal, allNames: boolean, signal: AbortSignal) =>
    request<WhatIf>("POST", "/bcp/what-if", { ...proposal, all_names: allNames }, { ...PATIENT, signal }),
  /** Of a declaration that is there, by the plan that was signed; `endsAt`: as if it ended then. */
  whatIfOf: (id: string, endsAt: string | null, allNames: boolean, signal: AbortSignal) =>
    request<WhatIf>(
      "POST",
      `/bcp/declarations/${encodeURIComponent(id)}/what-if`,
      { ends_at: endsAt, all_names: allNames },
      { ...PATIENT, signal },
    ),
  declare: (proposal: Proposal, seenDiff: string) =>
    request<DeclarationView>("POST", "/bcp/declarations", { proposal, seen_diff: seenDiff }, PATIENT),
  approve: (id: string, approval: Approval) => step(id, "approve", approval),
  /** `digest`: of the later end that is turned down; without one, the proposal itself. */
  reject: (id: string, text: string, digest?: string) =>
    step(id, "reject", { text, ...(digest === undefined ? {} : { digest }) }),
  extend: (id: string, endsAt: string, seenDiff: string, absent: boolean) =>
    step(id, "extend", { ends_at: endsAt, seen_diff: seenDiff, absent }),
  approveExtension: (id: string, approval: Approval) => step(id, "extend/approve", approval),
  narrow: (id: string, narrowing: Narrowing) => step(id, "narrow", narrowing),
  lift: (id: string, text: string) => step(id, "lift", { text }),
  ratify: (id: string, approval: Approval) => step(id, "ratify", approval),
  /** A fresh one-time code. The login is renewed with it: the old CSRF token is void. */
};
