/** Step 3: how far, by which plan; and whether it takes the place of what already holds for the same scope. */
import { useTranslation } from "react-i18next";
import { pick } from "../../i18n";
import { Notice } from "../../ui/controls";
import { ChoiceGroup, Tick } from "../choices";
import { levelsOf, plansOf, replaceable, withLevel } from "../draft";
import { LevelMark } from "../LevelMark";
import { levelName, scopeName } from "../names";
import { useKnownStatus } from "../status";
import type { Level, PlanView } from "../types";
import type { StepProps } from "./DeclareFlow";

export function LevelStep({ flow, draft, change, problems, plans }: StepProps & { readonly plans: readonly PlanView[] }) {
  const { t } = useTranslation("bcp");
  const { active } = useKnownStatus();
  const usable = plansOf(flow, plans);
  const levels = levelsOf(flow);
  const plan = usable.find((one) => one.id === draft.planId) ?? null;
  const before = replaceable(draft, flow, active);
  const planProblem = problems.find((one) => one === "planMissing" || one === "planWithoutLevel");
  if (usable.length === 0) {
    return (
      <Notice kind="error" testId="bcp-no-plans">
        <p>{t(flow === "drill" ? "levelStep.noDrillPlans" : "levelStep.noPlans")}</p>
      </Notice>
    );
  }
  return (
    <>
      {levels.length === 1 ? null : (
        <ChoiceGroup
          name="level"
          label={t("levelStep.level")}
          choices={levels.map((level) => ({
            value: level,
            title: t(`level.${level}`),
            help: t(`levelStep.levelHelp.${level}`),
            mark: (
              <span className={`choice-mark level-${level}`}>
                <LevelMark level={level} size={32} />
              </span>
            ),
          }))}
          value={draft.level}
          onChange={(level) => change(withLevel(draft, flow, level as Level))}
          error={problems.includes("levelMissing") ? t("problem.levelMissing") : null}
        />
      )}
      <ChoiceGroup
        name="plan"
        label={t("levelStep.plan")}
        choices={usable.map((one) => ({
          value: one.id,
          title: pick(one.name_ja, one.name_en),
          help: t("levelStep.contact", { contact: pick(one.contact_ja, one.contact_en) }),
        }))}
        value={draft.planId}
        onChange={(planId) => change({ planId })}
        error={planProblem === undefined ? null : t(`problem.${planProblem}`)}
      />
      {plan === null || draft.level === null ? null : <Widens plan={plan} level={draft.level} />}
      {before === null ? null : (
        <div>
          <Tick isSelected={draft.replace} onChange={(replace) => change({ replace })} testId="bcp-replace">
            {t("levelStep.replace", { level: levelName(before), scope: scopeName(before) })}
          </Tick>
          <p className="fine">{t("levelStep.replaceHelp")}</p>
        </div>
      )}
    </>
  );
}

function Widens({ plan, level }: { readonly plan: PlanView; readonly level: Level }) {
  const { t } = useTranslation("bcp");
  const texts = plan.widenings.filter((one) => one.level === level);
  return (
    <section className="widens" aria-labelledby="widens" data-testid="bcp-widens">
      <h2 id="widens">{t("levelStep.widens", { level: t(`level.${level}`) })}</h2>
      {level === "alert" ? (
        <p>{t("levelStep.widensNothing")}</p>
      ) : !plan.levels.includes(level) ? (
        <p>{t("levelStep.notInPlan")}</p>
      ) : (
        <ul className="rules">
          {texts.map((one) => (
            <li key={one.text_ja}>{pick(one.text_ja, one.text_en)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
