/** Seats of pools while the plan is declared, and what a drill of it uses. */
import { useTranslation } from "react-i18next";
import { pick } from "../../i18n";
import { Button, TextField } from "../../ui/controls";
import { ChoiceGroup } from "../choices";
import { lineIds } from "./content";
import { Some } from "./fields";
import { Problems } from "./Problems";
import type { PlanCapacity, PlanContent, PlanLevel, PlanProblem } from "./types";
import type { KnownNames } from "./words";

interface PartProps {
  readonly plan: PlanContent;
  readonly onChange: (plan: PlanContent) => void;
  readonly problems: readonly PlanProblem[];
  readonly known: KnownNames;
}

export function SeatsForm({ plan, onChange, problems, known }: PartProps) {
  const { t } = useTranslation("plans");
  const seats = plan.capacity ?? [];
  const put = (next: readonly PlanCapacity[]) => onChange({ ...plan, capacity: next });
  const change = (index: number, part: Partial<PlanCapacity>) =>
    put(seats.map((one, place) => (place === index ? { ...one, ...part } : one)));
  const number = (typed: string) => (/^\d+$/.test(typed.trim()) ? Number(typed.trim()) : 0);
  return (
    <section className="panel" aria-labelledby="form-seats">
      <h2 id="form-seats">{t("words.capacity")}</h2>
      <Problems problems={problems} inForm />
      {seats.map((one, index) => (
        <div key={index} className="plan-line">
          <ChoiceGroup
            name={`seats-${index}-pool`}
            label={t("form.seatsPool")}
            columns
            choices={known.pools.map((pool) => ({ value: pool.id, title: pick(pool.name_ja, pool.name_en) }))}
            value={one.pool}
            onChange={(pool) => change(index, { pool })}
          />
          <ChoiceGroup
            name={`seats-${index}-level`}
            label={t("form.seatsLevel")}
            columns
            choices={(["first", "second"] as const).map((value) => ({ value, title: t(`words.level.${value}`) }))}
            value={one.level}
            onChange={(level) => change(index, { level: level as PlanLevel })}
          />
          <div className="plan-pair">
            <TextField
              name={`seats-${index}-count`}
              label={t("form.seatsCount")}
              value={String(one.seats)}
              onChange={(typed) => change(index, { seats: number(typed) })}
              inputMode="numeric"
              maxLength={6}
              testId={`seats-${index}-count`}
            />
            <TextField
              name={`seats-${index}-reserved`}
              label={t("form.seatsReserved")}
              value={String(one.reserved_percent)}
              onChange={(typed) => change(index, { reserved_percent: number(typed) })}
              inputMode="numeric"
              maxLength={3}
              testId={`seats-${index}-reserved`}
            />
          </div>
          <div>
            <Button kind="quiet" onPress={() => put(seats.filter((_one, place) => place !== index))}>
              {t("form.removeSeats")}
            </Button>
          </div>
        </div>
      ))}
      <div>
        <Button
          kind="secondary"
          onPress={() => put([...seats, { pool: known.pools[0]?.id ?? "", level: "first", seats: 0, reserved_percent: 30 }])}
          data-testid="plan-add-seats"
        >
          {t("form.addSeats")}
        </Button>
      </div>
    </section>
  );
}

export function DrillForm({ plan, onChange, problems, known }: PartProps) {
  const { t } = useTranslation("plans");
  const drill = plan.drill ?? { pools: [] };
  const ids = (names: readonly string[]) => names.map((id) => ({ id, name_ja: id, name_en: id }));
  const first = ids(plan.first.map((line) => line.id));
  const change = (part: Partial<typeof drill>) => {
    const next = { ...drill, ...part };
    const nothing = [next.pools, next.first ?? [], next.second ?? []].every((one) => one.length === 0);
    const { drill: _before, ...rest } = plan;
    onChange(nothing ? rest : { ...rest, drill: next });
  };
  return (
    <section className="panel" aria-labelledby="form-drill">
      <h2 id="form-drill">{t("words.drill")}</h2>
      <Problems problems={problems} inForm />
      <Some name="drill-pools" label={t("form.drillPools")} items={known.pools} value={drill.pools} onChange={(pools) => change({ pools })} />
      <Some name="drill-first" label={t("form.drillFirst")} items={first} value={drill.first} onChange={(lines) => change({ first: lines })} />
      <Some
        name="drill-second"
        label={t("form.drillSecond")}
        items={ids(lineIds(plan))}
        value={drill.second}
        onChange={(lines) => change({ second: lines })}
      />
    </section>
  );
}
