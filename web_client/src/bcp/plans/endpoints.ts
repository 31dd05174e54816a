/** One function per route of plans' versions. No logic, only paths and types. */
import { request, type RequestOptions } from "../../api/http";
import type { WhatIf } from "../types";
import type { PlanCheck, PlanDetail, PlanLevel, PlanVersion, PlanVersions } from "./types";

const PATIENT: RequestOptions = { timeoutMs: 30_000 };
const ROOT = "/bcp/plan-versions";
const one = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

export const plans = {
  versions: (options: RequestOptions = {}) => request<PlanVersions>("GET", ROOT, undefined, options),
  detail: (id: string, options: RequestOptions = {}) => request<PlanDetail>("GET", one(id), undefined, options),
  check: (text: string, signal: AbortSignal) =>
    request<PlanCheck>("POST", `${ROOT}/check`, { text }, { ...PATIENT, signal }),
  whatIf: (text: string, level: PlanLevel, allNames: boolean, signal: AbortSignal) =>
    request<WhatIf>("POST", `${ROOT}/what-if`, { text, level, all_names: allNames }, { ...PATIENT, signal }),
  propose: (text: string, note: string) => request<PlanVersion>("POST", ROOT, { text, note }, PATIENT),
  adopt: (id: string, digest: string, seenDiff: string) =>
    request<PlanVersion>("POST", `${one(id)}/adopt`, { digest, seen_diff: seenDiff }, PATIENT),
  reject: (id: string) => request<PlanVersion>("POST", `${one(id)}/reject`, {}, PATIENT),
};
