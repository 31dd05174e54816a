/** What a drill pretends: part of the step that says how long it lasts. */
import { useTranslation } from "react-i18next";
import { ChoiceGroup, ManyOf, Tick } from "../choices";
import type { Injects, Scopes } from "../types";

const ABSENT = [0, 10, 20, 30, 50] as const;

interface PretendProps {
  readonly injects: Injects;
  readonly scopes: Scopes;
  readonly onChange: (injects: Injects) => void;
}

export function Pretend({ injects, scopes, onChange }: PretendProps) {
  const { t } = useTranslation("bcp");
  const change = (part: Partial<Injects>) => onChange({ ...injects, ...part });
  return (
    <section className="pretend" aria-labelledby="pretend" data-testid="bcp-pretend">
      <h2 id="pretend">{t("drill.heading")}</h2>
      <p className="fine">{t("drill.lead")}</p>
      <ChoiceGroup
        name="absent"
        label={t("drill.absent")}
        choices={ABSENT.map((percent) => ({
          value: String(percent),
          title: percent === 0 ? t("drill.absentNone") : t("drill.absentPercent", { percent }),
        }))}
        value={String(injects.absent_percent)}
        onChange={(value) => change({ absent_percent: Number(value) })}
        columns
      />
      <p className="fine">{t("drill.absentHelp")}</p>
      <div>
        <Tick
          isSelected={injects.directory_off}
          onChange={(directory_off) => change({ directory_off })}
          testId="bcp-directory-off"
        >
          {t("drill.directoryOff")}
        </Tick>
        <p className="fine">{t("drill.directoryOffHelp")}</p>
      </div>
      <div>
        <Tick
          isSelected={injects.half_capacity}
          onChange={(half_capacity) => change({ half_capacity })}
          testId="bcp-half-capacity"
        >
          {t("drill.halfCapacity")}
        </Tick>
        <p className="fine">{t("drill.halfCapacityHelp")}</p>
      </div>
      {scopes.sites.length === 0 ? null : (
        <ManyOf
          name="sites-down"
          label={t("drill.sites")}
          help={t("drill.sitesHelp")}
          items={scopes.sites}
          value={injects.sites_down}
          onChange={(sites_down) => change({ sites_down: [...sites_down].sort() })}
        />
      )}
    </section>
  );
}
