/** Pure: quality presets as noVNC's levels (0-9), and which of them the policy leaves open. */
import type { Quality } from "../api/types";

export interface Levels {
  readonly quality: number;
  readonly compression: number;
}

export const PRESETS: Readonly<Record<Quality, Levels>> = {
  high: { quality: 9, compression: 1 },
  standard: { quality: 6, compression: 2 },
  slow: { quality: 2, compression: 9 },
};

const ORDER: readonly Quality[] = ["slow", "standard", "high"];

/** A profile set by the policy is the best one a person may choose; a lower one is always open. */
export function mayChoose(wanted: Quality, granted: Quality): boolean {
  return ORDER.indexOf(wanted) <= ORDER.indexOf(granted);
}
