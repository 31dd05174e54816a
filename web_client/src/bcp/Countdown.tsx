/** What is left until an end. Seen every second; heard only at the milestones, which the page says by itself. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { remaining, shortUrgency } from "./countdown";
import { useNow } from "./useNow";

interface CountdownProps {
  readonly end: string;
  readonly label: string;
  /** Waits of half an hour at most: their colours come later, and no words. */
  readonly short?: boolean;
  readonly testId?: string;
}

export function Countdown({ end, label, short = false, testId }: CountdownProps) {
  const { t } = useTranslation("bcp");
  const now = useNow();
  const left = remaining(end, now);
  const urgency = short ? shortUrgency(left) : left.urgency;
  const urgent = short || (urgency !== "soon" && urgency !== "last") ? "" : t(`countdown.urgent.${urgency}`);
  return (
    <div
      className={`count count-${urgency}${short ? " count-short" : ""}`}
      data-testid={testId}
      data-urgency={urgency}
    >
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
