/** The public notice, asked for now and then while somebody looks; without the cookie, so it keeps no login alive. */
import { useEffect, useState } from "react";
import { notices } from "../api/endpoints";
import type { PublicNotice } from "../api/types";

/** What is in force for everybody to know, or null: nothing, not known yet, or a gateway without BCP mode. */
export function usePublicNotice(everyMs: number): PublicNotice["bcp"] {
  const [notice, setNotice] = useState<PublicNotice["bcp"]>(null);
  useEffect(() => {
    const own = new AbortController();
    const ask = () => {
      if (document.visibilityState === "hidden") {
        return;
      }
      notices
        .public({ signal: own.signal, timeoutMs: 10_000 })
        .then(({ bcp }) => setNotice((before) => (sameNotice(before, bcp) ? before : bcp)))
        // A banner is not worth an error: what it says is on the pages behind the login as well.
        .catch(() => undefined);
    };
    ask();
    const timer = window.setInterval(ask, everyMs);
    document.addEventListener("visibilitychange", ask);
    return () => {
      own.abort();
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [everyMs]);
  return notice;
}

function sameNotice(a: PublicNotice["bcp"], b: PublicNotice["bcp"]): boolean {
  return a?.text_ja === b?.text_ja && a?.text_en === b?.text_en && a?.drill === b?.drill;
}
