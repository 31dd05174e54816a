/** Asks what something would change. The answer stays until somebody asks again: people sign what they read. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { WhatIf } from "./types";

export interface Asked {
  readonly whatIf: WhatIf | null;
  readonly error: unknown;
  readonly again: () => void;
  /** Whether the answer names everybody, as far as the gateway does. */
  readonly allNames: boolean;
  /** Asks for everybody by name; what is shown stays until that answer is there. */
  readonly nameAll: () => void;
  /** That answer is on its way. */
  readonly naming: boolean;
}

interface Answer {
  readonly whatIf: WhatIf;
  readonly allNames: boolean;
}

/** `key` tells one question from another; null asks nothing. */
export function useAsked(key: string | null, ask: (allNames: boolean, signal: AbortSignal) => Promise<WhatIf>): Asked {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const [allNames, setAllNames] = useState(false);
  const keeps = useRef(false);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === null) {
      return undefined;
    }
    const own = new AbortController();
    if (!keeps.current) {
      setAnswer(null);
    }
    keeps.current = false;
    setError(null);
    latest
      .current(allNames, own.signal)
      .then((whatIf) => setAnswer({ whatIf, allNames }))
      .catch((failure: unknown) => {
        if (!own.signal.aborted) {
          setError(failure);
        }
      });
    return () => own.abort();
  }, [key, round, allNames]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  const nameAll = useCallback(() => {
    keeps.current = true;
    setAllNames(true);
    setRound((before) => before + 1); // also when it was tried before and failed
  }, []);
  const named = answer?.allNames === true;
  return {
    whatIf: answer?.whatIf ?? null,
    error,
    again,
    allNames: named,
    nameAll,
    naming: answer !== null && allNames && !named && error === null,
  };
}
