/**
 * The state of everything, for all parts of the console: asked for when a declaration changes, and every 5 s for the
 * load, while somebody looks and is there.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useChanges } from "../app/useChanges";
import { bcp } from "./endpoints";
import { Poller } from "./poller";
import type { BcpStatus } from "./types";
import { useVisible } from "./useVisible";

const POLL_MS = 5_000;
/** Asking keeps the login alive; a console that was left open must not stay open for ever. */
const NOBODY_THERE_MS = 15 * 60_000;

export interface StatusAccess {
  readonly status: BcpStatus | null;
  readonly error: unknown;
  /** Stopped because nobody touched the page for a while. */
  readonly asleep: boolean;
  readonly reload: () => Promise<void>;
  /** Runs something that renews the login, with no question of ours under way. */
  readonly quietly: <R>(act: () => Promise<R>) => Promise<R>;
  readonly wake: () => void;
}

const StatusContext = createContext<StatusAccess | null>(null);

export function useStatus(): StatusAccess {
  const access = useContext(StatusContext);
  if (access === null) {
    throw new Error("StatusProvider is missing");
  }
  return access;
}

/** The state, for parts that are only shown once it is there. */
export function useKnownStatus(): BcpStatus {
  const { status } = useStatus();
  if (status === null) {
    throw new Error("shown before the state is known");
  }
  return status;
}

export function StatusProvider({ children }: { readonly children: ReactNode }) {
  const [status, setStatus] = useState<BcpStatus | null>(null);
  const [error, setError] = useState<unknown>(null);
  const poller = useMemo(
    () =>
      new Poller<BcpStatus>(
        {
          load: (signal) => bcp.status({ signal, timeoutMs: 10_000 }),
          onValue: (value) => {
            setStatus(value);
            setError(null);
          },
          onError: setError,
        },
        POLL_MS,
      ),
    [],
  );
  useEffect(() => {
    poller.release("unmounted");
    void poller.ask();
    return () => poller.hold("unmounted");
  }, [poller]);
  useVisible(poller);
  useChanges(["bcp"], () => void poller.ask());
  const { asleep, wake } = useSleep(poller);

  const reload = useCallback(() => poller.ask(), [poller]);
  const quietly = useCallback(
    async <R,>(act: () => Promise<R>): Promise<R> => {
      poller.hold("signing");
      try {
        return await act();
      } finally {
        poller.release("signing");
      }
    },
    [poller],
  );
  const value = useMemo(
    () => ({ status, error, asleep, reload, quietly, wake }),
    [status, error, asleep, reload, quietly, wake],
  );
  return <StatusContext.Provider value={value}>{children}</StatusContext.Provider>;
}

function useSleep(poller: Poller<BcpStatus>): { readonly asleep: boolean; readonly wake: () => void } {
  const [asleep, setAsleep] = useState(false);
  const touched = useRef(performance.now());
  const wake = useCallback(() => {
    touched.current = performance.now();
    setAsleep(false);
    poller.release("asleep");
  }, [poller]);
  useEffect(() => {
    const onTouch = () => {
      touched.current = performance.now();
    };
    const events = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;
    events.forEach((name) => window.addEventListener(name, onTouch, { passive: true }));
    const timer = window.setInterval(() => {
      if (performance.now() - touched.current > NOBODY_THERE_MS) {
        setAsleep(true);
        poller.hold("asleep");
      }
    }, 10_000);
    return () => {
      events.forEach((name) => window.removeEventListener(name, onTouch));
      window.clearInterval(timer);
    };
  }, [poller]);
  return { asleep, wake };
}
