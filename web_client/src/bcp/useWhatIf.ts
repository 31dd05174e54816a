/** Asks what a proposal would change. */
import { bcp } from "./endpoints";
import type { Proposal } from "./types";
import { useAsked, type Asked } from "./useAsked";

export function useWhatIf(proposal: Proposal | null): Asked {
  const key = proposal === null ? null : JSON.stringify(proposal);
  return useAsked(key, (signal) => (proposal === null ? Promise.reject(new Error("nothing to ask")) : bcp.whatIf(proposal, signal)));
}
