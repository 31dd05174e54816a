/** The content of a plan in plain words: basics, what each level opens, seats, drill. */
import { useTranslation } from "react-i18next";
import type { PlanContent, Widening } from "./types";
import { basics, both, drillWords, lineRows, seatsWords, type KnownNames, type Row } from "./words";

export function Words({ plan, known }: { readonly plan: PlanContent; readonly known: KnownNames }) {
  const { t } = useTranslation("plans");
  return (
    <>
      <section className="panel" aria-labelledby="plan-basics">
        <h2 id="plan-basics">{t("words.basics")}</h2>
        <Rows rows={basics(plan)} />
      </section>
      <Lines heading={t("words.first")} lines={plan.first} known={known} id="plan-first" />
      <Lines heading={t("words.second")} lines={plan.second ?? []} known={known} id="plan-second" />
      <section className="panel" aria-labelledby="plan-seats">
        <h2 id="plan-seats">{t("words.capacity")}</h2>
        {(plan.capacity ?? []).length === 0 ? <p>{t("words.nothing")}</p> : null}
        <ul className="rules">
          {(plan.capacity ?? []).map((seats) => (
            <li key={`${seats.pool} ${seats.level}`}>{seatsWords(seats, known)}</li>
          ))}
        </ul>
        <h2>{t("words.drill")}</h2>
        <p>{drillWords(plan, known)}</p>
      </section>
    </>
  );
}

interface LinesProps {
  readonly heading: string;
  readonly lines: readonly Widening[];
  readonly known: KnownNames;
  readonly id: string;
}

function Lines({ heading, lines, known, id }: LinesProps) {
  const { t } = useTranslation("plans");
  return (
    <section className="panel" aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      {lines.length === 0 ? <p>{t("words.nothing")}</p> : null}
      {lines.map((line) => (
        <article key={line.id} className="plan-line" aria-labelledby={`${id}-${line.id}`}>
          <h3 id={`${id}-${line.id}`}>
            <span className="tag">{line.id}</span> {both(line.name)}
          </h3>
          <Rows rows={lineRows(line, known)} />
        </article>
      ))}
    </section>
  );
}

function Rows({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
