/** Step 4: until when. The end is stated as a date, because "72 hours" is hard to picture at night. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { gatewayNow } from "../../api/http";
import { ChoiceGroup, Moment } from "../choices";
import { durations, endOf } from "../draft";
import { hoursFrom, toTokyoField } from "../tokyoTime";
import type { StepProps } from "./DeclareFlow";

export function DurationStep({ flow, draft, change, problems }: StepProps) {
  const { t } = useTranslation("bcp");
  const now = gatewayNow();
  const offered = durations(flow, draft.level);
  const longest = Math.max(...offered);
  const shown = [...offered].sort((a, b) => a - b);
  const end = endOf(draft, now);
  const problem = problems[0];
  const words = (hours: number) =>
    hours >= 48 ? t("durationStep.days", { count: hours / 24, hours }) : t("durationStep.hours", { count: hours });
  const note = (hours: number) =>
    hours === offered[0] ? t("durationStep.standard") : hours === longest ? t("durationStep.longest") : null;
  return (
    <>
      <ChoiceGroup
        name="duration"
        label={t("durationStep.label")}
        choices={[
          ...shown.map((hours) => ({
            value: String(hours),
            title: note(hours) === null ? words(hours) : `${words(hours)} ${note(hours)}`,
            help: t("countdown.until", { time: dateTime(new Date(hoursFrom(now, hours)).toISOString()) }),
          })),
          { value: "until", title: t("durationStep.until") },
        ]}
        value={String(draft.hours)}
        onChange={(value) => change({ hours: value === "until" ? "until" : Number(value) })}
        columns
      />
      {draft.hours === "until" ? (
        <Moment
          id="bcp-until"
          label={t("durationStep.untilLabel")}
          value={draft.until}
          onChange={(until) => change({ until })}
          min={toTokyoField(now)}
          max={toTokyoField(now + longest * 3_600_000)}
          error={problem === undefined ? null : t(`problem.${problem}`)}
          testId="bcp-until"
        />
      ) : null}
      {end === null ? null : (
        <p className="ends-at" data-testid="bcp-ends-at">
          <strong>{t("durationStep.ends", { time: dateTime(new Date(end).toISOString()) })}</strong>
        </p>
      )}
      <p className="fine">{t("durationStep.help")}</p>
    </>
  );
}
