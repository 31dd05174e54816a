/** Pure: when to warn about the idle limit and about the total limit. Times in ms. */

export const IDLE_WARNING_MS = 60_000;

/** Seconds until the idle cut when it is time to warn, else null. */
export function idleSecondsLeft(now: number, lastInput: number, idleLimitSeconds: number): number | null {
  if (idleLimitSeconds <= 0) {
    return null;
  }
  const left = lastInput + idleLimitSeconds * 1_000 - now;
  // With a limit of two minutes or less a warning of a full minute would be up most of the time.
  const warning = Math.min(IDLE_WARNING_MS, (idleLimitSeconds * 1_000) / 2);
  return left <= warning ? Math.max(0, Math.ceil(left / 1_000)) : null;
}

export type TotalWarning = { readonly minutes: number; readonly urgent: boolean };

/** The warning of the total limit: shown from 10 minutes before, urgent from 2 minutes before. */
export function totalWarning(now: number, expiresAt: number | null): TotalWarning | null {
  if (expiresAt === null || Number.isNaN(expiresAt)) {
    return null;
  }
  const minutes = (expiresAt - now) / 60_000;
  return minutes > 10 ? null : { minutes: Math.max(1, Math.ceil(minutes)), urgent: minutes <= 2 };
}
