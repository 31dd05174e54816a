/** What is left until an end. Seen every second; heard only at the milestones, which the page says by itself. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { remaining } from "./countdown";
import { useNow } from "./useNow";

interface CountdownProps {
  readonly end: string;
  readonly label: string;
  readonly testId?: string;
}

export function Countdown({ end, label, testId }: CountdownProps) {
  const { t } = useTranslation("bcp");
  const now = useNow();
  const left = remaining(end, now);
  const urgent = t(`countdown.urgent.${left.urgency}`);
  return (
    <div className={`count count-${left.urgency}`} data-testid={testId} data-urgency={left.urgency}>
      <p className="count-left">
        <span className="count-label">{label}</span>
        <span className="count-time" role="timer" aria-live="off">
          {left.urgency === "over"
            ? t("countdown.over")
            : left.hours > 0
              ? t("countdown.hours", { hours: left.hours, minutes: left.minutes })
              : t("countdown.minutes", { minutes: left.minutes, seconds: left.seconds })}
        </span>
      </p>
      <p className="count-until">
        {t("countdown.until", { time: dateTime(end, now) })}
        {urgent === "" ? null : <strong>{urgent}</strong>}
      </p>
    </div>
  );
}
