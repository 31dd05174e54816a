/** Step 1: what has happened. An example sentence spares typing on a phone. */
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/controls";
import { Area, ChoiceGroup, Tick } from "../choices";
import { REASON_LIMIT } from "../draft";
import type { Cause } from "../types";
import type { StepProps } from "./DeclareFlow";

const CAUSES: readonly Cause[] = ["earthquake", "storm_flood", "heavy_snow", "infection", "outage", "other"];

export function CauseStep({ flow, draft, change, problems }: StepProps) {
  const { t } = useTranslation("bcp");
  const example =
    flow === "drill" ? t("causeStep.drillExample") : draft.cause === null ? "" : t(`causeStep.examples.${draft.cause}`);
  const reasonProblem = problems.find((one) => one === "reasonMissing" || one === "reasonTooLong");
  return (
    <>
      <ChoiceGroup
        name="cause"
        label={t("causeStep.cause")}
        choices={CAUSES.map((cause) => ({ value: cause, title: t(`cause.${cause}`) }))}
        value={draft.cause}
        onChange={(cause) => change({ cause: cause as Cause })}
        error={problems.includes("causeMissing") ? t("problem.causeMissing") : null}
        columns
      />
      <div className="with-example">
        <Area
          id="bcp-reason"
          label={t("causeStep.reason")}
          help={t("causeStep.reasonHelp")}
          value={draft.reason}
          onChange={(reason) => change({ reason })}
          error={reasonProblem === undefined ? null : t(`problem.${reasonProblem}`)}
          testId="bcp-reason"
        />
        <p className="area-foot">
          {example === "" || draft.reason.trim() !== "" ? (
            <span />
          ) : (
            <Button kind="quiet" onPress={() => change({ reason: example })} data-testid="bcp-example">
              {t("causeStep.example")}
            </Button>
          )}
          <span className="fine">{t("causeStep.count", { count: [...draft.reason].length, max: REASON_LIMIT })}</span>
        </p>
      </div>
      {flow === "break-glass" ? (
        <Tick
          isSelected={draft.alone}
          onChange={(alone) => change({ alone })}
          invalid={problems.includes("aloneMissing")}
          testId="bcp-alone"
        >
          {t("causeStep.alone")}
        </Tick>
      ) : null}
    </>
  );
}
