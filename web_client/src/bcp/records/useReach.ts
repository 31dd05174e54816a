/** How far a declaration's people have been reached, renewed while somebody looks. */
import { useCallback } from "react";
import type { RequestOptions } from "../../api/http";
import { records } from "./endpoints";
import { useLive } from "./useLive";

export function useReach(id: string) {
  return useLive(useCallback((options: RequestOptions) => records.reach(id, options), [id]));
}

export function useCallLists(id: string) {
  return useLive(useCallback((options: RequestOptions) => records.callLists(id, options), [id]));
}
