/** Holds a poller while the page is hidden. */
import { useEffect } from "react";
import type { Poller } from "./poller";

export function useVisible(poller: Pick<Poller<unknown>, "hold" | "release">): void {
  useEffect(() => {
    const onChange = () => {
      if (document.visibilityState === "hidden") {
        poller.hold("hidden");
      } else {
        poller.release("hidden");
      }
    };
    document.addEventListener("visibilitychange", onChange);
    onChange();
    return () => document.removeEventListener("visibilitychange", onChange);
  }, [poller]);
}
