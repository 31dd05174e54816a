/** What the register and the catalogue call the duties, sites and pools that plans name by their ids. */
import { useMemo } from "react";
import { useLoad } from "../../app/useLoad";
import { bcp } from "../endpoints";
import { useKnownStatus } from "../status";
import type { KnownNames } from "./words";

export function useNames(): KnownNames {
  const { pools } = useKnownStatus();
  const { value } = useLoad(bcp.scopes);
  return useMemo(
    () => ({
      duties: value?.duties ?? [],
      sites: value?.sites ?? [],
      pools: pools.map((pool) => ({ id: pool.pool_id, name_ja: pool.name_ja, name_en: pool.name_en })),
    }),
    [value, pools],
  );
}
