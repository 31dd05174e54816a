/** How well a drill or a declaration goes: counted by the gateway when the page is opened, or on demand. */
import { useTranslation } from "react-i18next";
import { useLoad } from "../app/useLoad";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { ErrorNotice, Loading } from "../ui/PageStates";
import { bcp } from "./endpoints";
import type { DeclarationView, DutyScore, ScoreView } from "./types";

export function Score({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { value, error, reload } = useLoad((options) => bcp.score(declaration.id, options));
  return (
    <section className="panel score" aria-labelledby="score" data-testid="bcp-score">
      <div className="diff-head">
        <h2 id="score">{t("drill.score.heading")}</h2>
        <Button kind="quiet" icon="refresh" onPress={() => void reload()} data-testid="bcp-score-reload">
          {t("drill.score.reload")}
        </Button>
      </div>
      <p className="fine">{t("drill.score.lead")}</p>
      {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
      {value !== null ? <Figures score={value} drill={declaration.drill} /> : error === null ? <Loading /> : null}
    </section>
  );
}

/** The same figures, live or frozen in a report. */
export function Figures({ score, drill }: { readonly score: ScoreView; readonly drill: boolean }) {
  const { t } = useTranslation("bcp");
  const rows: (readonly [string, string])[] = [
    [t("drill.score.toDeclare"), useTaken(score)],
    [
      t("drill.score.p1"),
      score.p1_roster === 0
        ? t("drill.score.noRoster")
        : t("drill.score.ofRoster", { within: score.p1_within_hour, roster: score.p1_roster }),
    ],
    [t("drill.score.refused"), t("drill.score.refusedValue", { count: score.refused_people, times: score.refused })],
    [t("drill.score.preempted"), t("drill.score.times", { count: score.preempted })],
  ];
  if (drill) {
    rows.push([t("drill.score.absent"), t("people", { count: score.absent })]);
    rows.push([
      t("drill.score.rehearsed"),
      t("drill.score.rehearsedValue", { count: score.rehearsed, failed: score.rehearsed_failed }),
    ]);
  }
  return (
    <>
      <dl className="facts facts-wide">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {score.duties.length === 0 ? null : <Duties duties={score.duties} drill={drill} />}
    </>
  );
}

function useTaken({ seconds_to_declare: seconds, alone }: ScoreView): string {
  const { t } = useTranslation("bcp");
  if (alone) {
    return t("drill.score.alone");
  }
  if (seconds === null) {
    return t("drill.score.notBegun");
  }
  return seconds < 60
    ? t("drill.score.seconds", { count: seconds })
    : t("drill.score.minutes", { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
}

function Duties({ duties, drill }: { readonly duties: readonly DutyScore[]; readonly drill: boolean }) {
  const { t } = useTranslation("bcp");
  return (
    <details>
      <summary>{t("drill.score.duties", { count: duties.length })}</summary>
      <div className="score-table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t("drill.score.duty")}</th>
              <th scope="col">{t("drill.score.roster")}</th>
              {drill ? <th scope="col">{t("drill.score.dutyAbsent")}</th> : null}
              <th scope="col">{t("drill.score.withinHour")}</th>
              <th scope="col">{t("drill.score.dutyRefused")}</th>
              <th scope="col">{t("drill.score.dutyPreempted")}</th>
            </tr>
          </thead>
          <tbody>
            {duties.map((one) => (
              <tr key={one.id} data-testid={`bcp-score-${one.id}`}>
                <th scope="row">{pick(one.name_ja, one.name_en)}</th>
                <td>{one.roster}</td>
                {drill ? <td>{one.absent}</td> : null}
                <td>{one.within_hour}</td>
                <td>{one.refused}</td>
                <td>{one.preempted}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
