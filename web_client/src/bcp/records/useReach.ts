/** How far a declaration's people have been reached, renewed while somebody looks. */
import { useCallback } from "react";
import type { RequestOptions } from "../../api/http";
import type { Topic } from "../../app/changes";
import { records } from "./endpoints";
import { useLive } from "./useLive";

/** For whatever shows who was reached. */
export const RECEIPTS: { readonly topics: readonly Topic[] } = { topics: ["bcp", "receipts"] };

export function useReach(id: string) {
  return useLive(useCallback((options: RequestOptions) => records.reach(id, options), [id]), RECEIPTS);
}

export function useCallLists(id: string) {
  return useLive(useCallback((options: RequestOptions) => records.callLists(id, options), [id]), RECEIPTS);
}
