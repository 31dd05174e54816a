/**
 * The seat is needed for urgent work: when, why, what becomes of the work, whom to call. Stays until it is over or
 * withdrawn, also with the bar folded; said aloud once, and again when the moment changes.
 */
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import type { SessionWarning } from "../api/types";
import { clockTime, countdown } from "../app/format";
import { pick } from "../i18n";
import { Notice } from "../ui/controls";
import { useSeconds } from "./hooks";
import { secondsUntil } from "./queue";

export function PreemptionBanner({ warning }: { readonly warning: SessionWarning | null | undefined }) {
  const { t } = useTranslation();
  useSeconds(warning !== null && warning !== undefined);
  if (warning === null || warning === undefined) {
    return null;
  }
  const left = secondsUntil(warning.at, gatewayNow()) ?? 0;
  const phone = pick(warning.phone_ja, warning.phone_en);
  return (
    <div className="viewer-banner viewer-preemption" data-testid="viewer-preemption">
      <Notice key={warning.at} kind="error" title={t("viewer.preemption.title", { time: clockTime(warning.at) })}>
        <p>{pick(warning.reason_ja, warning.reason_en)}</p>
        {phone === "" ? null : <p>{t("viewer.preemption.phone", { phone })}</p>}
      </Notice>
      <p className="preemption-left" role="timer" aria-live="off" data-testid="viewer-preemption-left">
        {t("viewer.preemption.left", { time: countdown(left) })}
      </p>
    </div>
  );
}
