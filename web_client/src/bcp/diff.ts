/** Pure: what the moment of signing shows, out of the gateway's what-if answer. */
import type { PoolLoad, WhatIf } from "./types";

export interface SeatForecast {
  readonly poolId: string;
  readonly name: { readonly ja: string; readonly en: string };
  readonly total: number;
  readonly forecast: number;
  /** Seats that would be missing; 0 when all fit. */
  readonly short: number;
  /** Share of the seats that would be taken, 0 to 1. */
  readonly share: number;
}

/** Forecast per pool, the fullest first. Names come from wherever they are known. */
export function seatForecasts(whatIf: WhatIf, pools: readonly PoolLoad[]): readonly SeatForecast[] {
  const names = new Map<string, { ja: string; en: string }>();
  for (const named of [...pools, ...whatIf.gains]) {
    names.set(named.pool_id, { ja: named.name_ja, en: named.name_en });
  }
  return whatIf.capacity
    .map(({ pool_id: poolId, total, forecast }) => ({
      poolId,
      name: names.get(poolId) ?? { ja: poolId, en: poolId },
      total,
      forecast,
      short: Math.max(0, forecast - total),
      share: share(forecast, total),
    }))
    .sort((a, b) => b.short - a.short || b.share - a.share);
}

/** Part of the whole, 0 to 1; a pool without seats is full as soon as anybody wants one. */
export function share(used: number, total: number): number {
  return total > 0 ? Math.min(1, Math.max(0, used / total)) : used > 0 ? 1 : 0;
}

/** Gains that exist, the most people first. */
export function gainsByPeople(whatIf: WhatIf): WhatIf["gains"] {
  return whatIf.gains.filter((gain) => gain.people > 0).sort((a, b) => b.people - a.people);
}

export function seatsShort(forecasts: readonly SeatForecast[]): number {
  return forecasts.reduce((sum, one) => sum + one.short, 0);
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
