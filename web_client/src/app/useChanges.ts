/** The page's one stream of changes, for components. */
import { useEffect, useRef } from "react";
import { account } from "../api/endpoints";
import { API_ROOT } from "../api/http";
import { Changes, type Topic } from "./changes";
import { parsePath } from "./router";

export const changes = new Changes({
  open: () => new EventSource(`${API_ROOT}/changes`),
  check: () => {
    // A viewer learns of it from its own stream, and tells what it means for the work on the desktop.
    if (parsePath(window.location.pathname).page !== "view") {
      // "Not logged in any more" shows the log-in page; every other failure is only a reason to try again.
      account.me({ background: true }).catch(() => undefined);
    }
  },
  random: Math.random,
});

/** Keeps the stream open while somebody is logged in and looks at the page. */
export function useChangeStream(loggedIn: boolean): void {
  useEffect(() => {
    const onVisible = () => changes.setVisible(document.visibilityState !== "hidden");
    onVisible();
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, []);
  useEffect(() => {
    changes.setLoggedIn(loggedIn);
    return () => changes.setLoggedIn(false);
  }, [loggedIn]);
}

/** Calls `onChange` whenever one of the topics may have changed, also when the page comes to be seen again. */
export function useChanges(topics: readonly Topic[], onChange: () => void): void {
  const latest = useRef(onChange);
  latest.current = onChange;
  const key = topics.join(" ");
  useEffect(() => {
    let asked = false;
    // Several topics may come at once: one question answers them all.
    const once = () => {
      if (!asked) {
        asked = true;
        queueMicrotask(() => {
          asked = false;
          latest.current();
        });
      }
    };
    const stops = (key.split(" ") as Topic[]).map((topic) => changes.listen(topic, once));
    return () => stops.forEach((stop) => stop());
  }, [key]);
}
