/** The gateway's time, once a second: every count-down on the page beats together. */
import { useEffect, useState } from "react";
import { gatewayNow } from "../api/http";

export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(gatewayNow);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(gatewayNow()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}
