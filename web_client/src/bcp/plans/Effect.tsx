/** The effect of a plan on everybody, at one level or the other, before anybody signs. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ChoiceGroup } from "../choices";
import { DiffView } from "../DiffView";
import type { WhatIf } from "../types";
import { useAsked } from "../useAsked";
import { plans } from "./endpoints";
import type { PlanLevel } from "./types";

interface EffectProps {
  readonly text: string;
  /** The plan adds something at level 2. */
  readonly second: boolean;
  readonly onSeen?: (seen: WhatIf | null) => void;
}

export function Effect({ text, second, onSeen }: EffectProps) {
  const { t } = useTranslation("plans");
  // The higher level contains the other: it is what a signature is about.
  const [level, setLevel] = useState<PlanLevel>(second ? "second" : "first");
  const asked = useAsked(`${level} ${text}`, (allNames, signal) => plans.whatIf(text, level, allNames, signal));
  const { whatIf } = asked;
  useEffect(() => onSeen?.(whatIf), [whatIf, onSeen]);
  return (
    <section aria-labelledby="plan-effect" data-testid="plan-effect">
      <h2 id="plan-effect">{t("effect.heading")}</h2>
      <p>{t("effect.lead")}</p>
      {second ? (
        <ChoiceGroup
          name="plan-level"
          label={t("effect.level")}
          columns
          choices={(["first", "second"] as const).map((value) => ({ value, title: t(`words.level.${value}`) }))}
          value={level}
          onChange={(value) => setLevel(value as PlanLevel)}
        />
      ) : null}
      <DiffView asked={asked} drill={false} endsAt={whatIf?.tried_until ?? null} heading={t("effect.at", { level: t(`words.level.${level}`) })} from={t("effect.from")} />
    </section>
  );
}
