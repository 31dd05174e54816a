/** Pure: what the moment of signing shows, out of the gateway's what-if answer. */
import type { Fit, WhatIf } from "./types";

/** Forecasts in order: what is short first, then the fullest. */
export function tightestFirst<T extends Fit>(fits: readonly T[]): readonly T[] {
  return [...fits].sort(
    (a, b) => b.short - a.short || share(b.forecast, b.total) - share(a.forecast, a.total),
  );
}

/** Part of the whole, 0 to 1; a pool without seats is full as soon as anybody wants one. */
export function share(used: number, total: number): number {
  return total > 0 ? Math.min(1, Math.max(0, used / total)) : used > 0 ? 1 : 0;
}

/** Gains that exist, the most people first. */
export function gainsByPeople(whatIf: WhatIf): WhatIf["gains"] {
  return whatIf.gains.filter((gain) => gain.people > 0).sort((a, b) => b.people - a.people);
}

export function totalShort(fits: readonly Fit[]): number {
  return fits.reduce((sum, one) => sum + one.short, 0);
}

/** First eight characters in two groups: short enough to read to each other on the telephone. */
export function shortDigest(digest: string): string {
  const bare = digest.replace(/^[a-z0-9]+:/i, "");
  return (bare.slice(0, 8).toUpperCase().match(/.{1,4}/g) ?? []).join("-");
}

/** Whether the second person looks at the same list of people as the first one did. */
export function sameDiff(whatIf: WhatIf, seenByFirst: string | null | undefined): "same" | "changed" | "unknown" {
  return seenByFirst === null || seenByFirst === undefined
    ? "unknown"
    : seenByFirst === whatIf.digest
      ? "same"
      : "changed";
}
