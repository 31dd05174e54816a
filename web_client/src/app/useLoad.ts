/** Loads something for a page and loads it again on demand; a reload keeps what is shown until the answer is there. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { RequestOptions } from "../api/http";

export interface Loaded<T> {
  readonly value: T | null;
  readonly error: unknown;
  readonly reload: (options?: RequestOptions) => Promise<void>;
}

export function useLoad<T>(load: (options: RequestOptions) => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const latest = useRef(load);
  const alive = useRef(true);

  const reload = useCallback(async (options: RequestOptions = {}) => {
    try {
      const result = await latest.current(options);
      if (alive.current) {
        setValue(result);
        setError(null);
      }
    } catch (failure) {
      if (alive.current) {
        setError(failure);
      }
    }
  }, []);

  useEffect(() => {
    alive.current = true;
    void reload();
    return () => {
      alive.current = false;
    };
  }, [reload]);

  return { value, error, reload };
}
