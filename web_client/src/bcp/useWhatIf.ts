/** Asks what a proposal would change. The answer stays as it is until somebody asks again: people sign what they read. */
import { useCallback, useEffect, useRef, useState } from "react";
import { bcp } from "./endpoints";
import type { Proposal, WhatIf } from "./types";

export interface Asked {
  readonly whatIf: WhatIf | null;
  readonly error: unknown;
  readonly again: () => void;
}

export function useWhatIf(proposal: Proposal | null): Asked {
  const [whatIf, setWhatIf] = useState<WhatIf | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const key = proposal === null ? null : JSON.stringify(proposal);
  const latest = useRef(proposal);
  latest.current = proposal;
  useEffect(() => {
    const asked = latest.current;
    if (asked === null || key === null) {
      return undefined;
    }
    const own = new AbortController();
    setWhatIf(null);
    setError(null);
    bcp
      .whatIf(asked, own.signal)
      .then(setWhatIf)
      .catch((failure: unknown) => {
        if (!own.signal.aborted) {
          setError(failure);
        }
      });
    return () => own.abort();
  }, [key, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  return { whatIf, error, again };
}
