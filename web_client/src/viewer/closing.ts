/** Pure: what the end of a stream means. Counterpart: the gateway's close codes; the reason text is an EndReason. */

export type EndKind =
  | "disconnected"
  | "logged_off"
  | "taken_over"
  | "idle"
  | "total_limit"
  | "admin"
  | "denied"
  | "not_found"
  | "failed"
  | "protocol"
  | "signed_out"
  | "busy"
  | "preempted"
  | "lapsed"
  | "stopped";

export type Closing =
  /** The line dropped or the gateway restarts: the desktop is still there, come back. `answered`: the gateway is there
   * and cannot let us in yet (its database is away), so that its answering is no reason to hurry. */
  | { readonly kind: "retry"; readonly answered?: boolean }
  /** Come back, but not for ever: counts against a small number of tries. */
  | { readonly kind: "doubtful"; readonly end: EndKind }
  /** Over. Coming back by itself would steal the desktop from someone or go on forever. */
  | { readonly kind: "over"; readonly end: EndKind };

const BY_REASON: Readonly<Record<string, EndKind>> = {
  user_logged_out: "logged_off",
  signed_out: "signed_out",
  desktop_ended: "logged_off",
  taken_over: "taken_over",
  idle: "idle",
  total_limit: "total_limit",
  admin: "admin",
  policy: "denied",
  desktop_failed: "failed",
  target_unreachable: "failed",
  protocol_violation: "protocol",
  audit_unavailable: "failed",
  preempted: "preempted",
  hold_lapsed: "lapsed",
};

/** The kind of end for an EndReason; unknown reasons (a newer gateway) read as a failure. */
export function endOfReason(reason: string | null): EndKind {
  return reason === null ? "not_found" : (BY_REASON[reason] ?? "failed");
}

export function judgeClose(code: number, reason: string): Closing {
  switch (code) {
    case 4401:
      // The log-in is over, or the ticket was late: only the latter is worth another try.
      return reason === "signed_out" ? { kind: "over", end: "signed_out" } : { kind: "doubtful", end: "failed" };
    case 4403:
    case 1008:
      return { kind: "over", end: "denied" };
    case 4404:
      return { kind: "over", end: "not_found" };
    case 4408:
      return { kind: "over", end: reason === "total_limit" ? "total_limit" : "idle" };
    case 4409:
      return { kind: "over", end: "taken_over" };
    case 4410:
      return { kind: "over", end: "admin" };
    case 4411:
      return { kind: "over", end: "logged_off" };
    case 4412:
      return { kind: "over", end: "preempted" };
    case 4422:
      return { kind: "over", end: "protocol" };
    case 4502:
      return { kind: "doubtful", end: "failed" };
    case 1013:
      return reason === "store_unavailable" ? { kind: "retry", answered: true } : { kind: "doubtful", end: "busy" };
    case 1011:
      return { kind: "doubtful", end: "failed" };
    default:
      // 4000-4999 are decisions of the gateway: one we do not know must not be answered by coming back.
      return code >= 4000 ? { kind: "over", end: endOfReason(reason === "" ? null : reason) } : { kind: "retry" };
  }
}

/** Tries that may end "doubtful" in a row before we believe it: about 4 s for a failure, about 40 s for a queue. */
export function doubtfulTries(end: EndKind): number {
  return end === "busy" ? 8 : 4;
}

/** Wait before try number `attempt` (0-based), in ms: 0.5, 1, 2, 4, 8, 10, 10 … with ±20 % so that many viewers spread. */
export function retryDelay(attempt: number, random: number): number {
  const base = Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.8 + 0.4 * random));
}
