/** Has the text checked a moment after the last key, by the same proof that adopts it. */
import { useEffect, useState } from "react";
import { plans } from "./endpoints";
import type { PlanCheck } from "./types";

const PAUSE_MS = 600;

export interface Checked {
  /** Of the text as it is now; null while that is being found out. */
  readonly check: PlanCheck | null;
  readonly error: unknown;
}

export function useCheck(text: string): Checked {
  const [found, setFound] = useState<{ readonly text: string; readonly check: PlanCheck } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const own = new AbortController();
    const timer = window.setTimeout(() => {
      plans
        .check(text, own.signal)
        .then((check) => {
          setFound({ text, check });
          setError(null);
        })
        .catch((failure: unknown) => {
          if (!own.signal.aborted) {
            setError(failure);
          }
        });
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      own.abort();
    };
  }, [text]);
  return { check: found !== null && found.text === text ? found.check : null, error };
}
