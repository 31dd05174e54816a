/** How good the line is: round trip to the gateway and received bits per second. Pure but for the one fetch. */

export type LineGrade = "unknown" | "good" | "fair" | "poor";

export interface Line {
  readonly grade: LineGrade;
  /** Median round trip of the last samples in ms, null before the first. */
  readonly rttMs: number | null;
  /** Received megabits per second over the last interval. */
  readonly mbps: number;
}

export const UNKNOWN_LINE: Line = { grade: "unknown", rttMs: null, mbps: 0 };

/** Usable to 150 ms, a warning above 200 ms (design notes, chapter 5). */
export function grade(rttMs: number | null): LineGrade {
  if (rttMs === null) {
    return "unknown";
  }
  return rttMs <= 80 ? "good" : rttMs <= 200 ? "fair" : "poor";
}

/** Keeps the last five round trips; one slow answer does not make a slow line. */
export class RoundTrips {
  readonly #samples: number[] = [];

  add(ms: number): number {
    this.#samples.push(ms);
    if (this.#samples.length > 5) {
      this.#samples.shift();
    }
    const sorted = [...this.#samples].sort((left, right) => left - right);
    return Math.round(sorted[Math.floor((sorted.length - 1) / 2)] ?? ms);
  }
}

/** Time of one small answer from the gateway in ms, or null when none came within the limit. */
export async function measureRoundTrip(timeoutMs: number): Promise<number | null> {
  const start = performance.now();
  try {
    const response = await fetch("/healthz", { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    // A gateway that says "not well" still answered: the line is what we measure.
    return performance.now() - start;
  } catch {
    return null;
  }
}
