/** Asks what something would change. The answer stays until somebody asks again: people sign what they read. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { WhatIf } from "./types";

export interface Asked {
  readonly whatIf: WhatIf | null;
  readonly error: unknown;
  readonly again: () => void;
  /** Whether everybody was asked for by name; asks again with all names. */
  readonly allNames: boolean;
  readonly nameAll: () => void;
}

/** `key` tells one question from another; null asks nothing. */
export function useAsked(key: string | null, ask: (allNames: boolean, signal: AbortSignal) => Promise<WhatIf>): Asked {
  const [whatIf, setWhatIf] = useState<WhatIf | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const [allNames, setAllNames] = useState(false);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === null) {
      return undefined;
    }
    const own = new AbortController();
    setWhatIf(null);
    setError(null);
    latest
      .current(allNames, own.signal)
      .then(setWhatIf)
      .catch((failure: unknown) => {
        if (!own.signal.aborted) {
          setError(failure);
        }
      });
    return () => own.abort();
  }, [key, round, allNames]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  const nameAll = useCallback(() => setAllNames(true), []);
  return { whatIf, error, again, allNames, nameAll };
}
