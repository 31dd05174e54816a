/** Loads something beside the state, and again while somebody looks at the page and is there. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { RequestOptions } from "../../api/http";
import type { Topic } from "../../app/changes";
import { useChanges } from "../../app/useChanges";
import type { Loaded } from "../../app/useLoad";
import { Poller } from "../poller";
import { useStatus } from "../status";
import { useVisible } from "../useVisible";

const EVERY_MS = 15_000;
const STEPS: readonly Topic[] = ["bcp"];

interface Pace {
  readonly everyMs?: number;
  /** What the gateway tells when it has changed. */
  readonly topics?: readonly Topic[];
}

/** `load` must stay the same between renders. Asked by the page, not by the person: it keeps no login alive. */
export function useLive<T>(
  load: (options: RequestOptions) => Promise<T>,
  { everyMs = EVERY_MS, topics = STEPS }: Pace = {},
): Loaded<T> {
  const { asleep } = useStatus();
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const poller = useMemo(
    () =>
      new Poller<T>(
        {
          load: (signal) => load({ signal, background: true, timeoutMs: 10_000 }),
          onValue: (found) => {
            setValue(found);
            setError(null);
          },
          onError: setError,
        },
        everyMs,
      ),
    [load, everyMs],
  );
  const loaded = useRef(false);
  useEffect(() => {
    if (loaded.current) {
      setValue(null);
    }
    loaded.current = true;
    poller.release("unmounted");
    void poller.ask();
    return () => poller.hold("unmounted");
  }, [poller]);
  useVisible(poller);
  useChanges(topics, () => void poller.ask());
  useEffect(() => {
    if (asleep) {
      poller.hold("asleep");
    } else {
      poller.release("asleep");
    }
  }, [asleep, poller]);
  return { value, error, reload: () => poller.ask() };
}
