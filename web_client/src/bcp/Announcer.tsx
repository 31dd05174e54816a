/** Says aloud what changed and which milestone a count-down has passed. One polite region, nothing to see. */
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import { milestone } from "./countdown";
import { declarationName } from "./names";
import { changes } from "./situation";
import { useKnownStatus } from "./status";
import type { BcpStatus } from "./types";

const HOUR = 3_600_000;

export function Announcer() {
  const { t } = useTranslation("bcp");
  const status = useKnownStatus();
  const before = useRef<BcpStatus>(status);
  const looked = useRef(gatewayNow());
  const [words, setWords] = useState("");

  useEffect(() => {
    const found = changes(before.current, status);
    before.current = status;
    if (found.length > 0) {
      setWords(found.map(({ kind, declaration }) => t(`say.${kind}`, { name: declarationName(declaration) })).join(" "));
    }
  }, [status, t]);

  useEffect(() => {
    const timer = window.setInterval(() => {
      const now = gatewayNow();
      const passed = status.active.flatMap((declaration) => {
        const mark = milestone(declaration.ends_at, looked.current, now);
        const name = declarationName(declaration);
        return mark === null ? [] : [t(`say.${spoken(mark)}`, { name })];
      });
      looked.current = now;
      if (passed.length > 0) {
        setWords(passed.join(" "));
      }
    }, 1_000);
    return () => window.clearInterval(timer);
  }, [status, t]);

  return (
    <p className="visually-hidden" role="status" aria-live="polite" data-testid="bcp-announcer">
      {words}
    </p>
  );
}

function spoken(mark: number): "day" | "hours" | "hour" | "minutes" | "over" {
  return mark === 0 ? "over" : mark < HOUR ? "minutes" : mark === HOUR ? "hour" : mark <= 4 * HOUR ? "hours" : "day";
}
