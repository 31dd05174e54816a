/** Asks what something would change. The answer stays until somebody asks again: people sign what they read. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { WhatIf } from "./types";

export interface Asked {
  readonly whatIf: WhatIf | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** `key` tells one question from another; null asks nothing. */
export function useAsked(key: string | null, ask: (signal: AbortSignal) => Promise<WhatIf>): Asked {
  const [whatIf, setWhatIf] = useState<WhatIf | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
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
      .current(own.signal)
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
