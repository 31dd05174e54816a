/** One report: its bytes have been compared with its hash; what it covers, how fast it went, what is left to do. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { navigate } from "../../app/router";
import { useLoad } from "../../app/useLoad";
import { Button } from "../../ui/controls";
import { Icon } from "../../ui/Icon";
import { Loading, PageHeading } from "../../ui/PageStates";
import { drillMark } from "../names";
import { NotShown } from "../NotShown";
import { Figures } from "../Score";
import { recordsJa } from "../texts/recordsJa";
import { records } from "./endpoints";
import { ReportRow } from "./ReportRow";
import { reportName } from "./reportNames";
import type { ReportDetail } from "./types";

export function ReportPage({ id }: { readonly id: string }) {
  const { t } = useTranslation("bcp");
  const { value, error, reload } = useLoad((options) => records.report(id, options));
  if (value === null) {
    if (error === null) {
      return <Loading />;
    }
    return <NotShown title={t("reports.one")} error={error} onRetry={reload} gone={t("reports.gone")} />;
  }
  const { head } = value;
  const drill = head.about?.drill === true;
  return (
    <div className="bcp-narrow">
      <PageHeading title={`${drillMark(drill)}${t("reports.one")} ${reportName(head)}`}>{t("reports.one")}</PageHeading>
      <p className="seat-fit" data-testid="bcp-report-checked">
        <Icon name="check" />
        {t("reports.checked")}
      </p>
      <ul className="cards">
        <ReportRow head={head} level={2} here />
      </ul>
      <Covers detail={value} />
      <Frozen detail={value} drill={drill} />
      <FollowUps detail={value} />
      <div>
        <Button
          kind="quiet"
          onPress={() => navigate({ page: "bcp", view: { kind: "declaration", id: head.declaration_id } })}
          data-testid="bcp-report-declaration"
        >
          {t("reports.toDeclaration")}
        </Button>
      </div>
    </div>
  );
}

function Covers({ detail }: { readonly detail: ReportDetail }) {
  const { t } = useTranslation("bcp");
  const rows: (readonly [string, string])[] = [
    [t("reports.window"), t("reports.fromTo", { from: dateTime(detail.window_from), to: dateTime(detail.window_to) })],
    [t("reports.state"), t(detail.final ? "reports.final" : "reports.interim")],
    [t("reports.events"), t("reports.count", { count: detail.events })],
    [t("reports.people"), t("people", { count: detail.people })],
    [t("reports.sessions"), t("reports.count", { count: detail.sessions })],
    [t("reports.refused"), t("reports.count", { count: detail.refused })],
    ["SHA-256", detail.head.sha256],
  ];
  return (
    <section className="panel" aria-labelledby="covers">
      <h2 id="covers">{t("reports.covers")}</h2>
      <dl className="facts">
        {rows.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Frozen({ detail, drill }: { readonly detail: ReportDetail; readonly drill: boolean }) {
  const { t } = useTranslation("bcp");
  return (
    <section className="panel" aria-labelledby="score" data-testid="bcp-report-score">
      <h2 id="score">{t("drill.score.heading")}</h2>
      <Figures score={detail.score} drill={drill} />
    </section>
  );
}

function isKnown(code: string): code is keyof typeof recordsJa.followUp {
  return code in recordsJa.followUp;
}

function FollowUps({ detail }: { readonly detail: ReportDetail }) {
  const { t } = useTranslation("bcp");
  // A newer gateway may know more; then its own Japanese words stand.
  const words = (code: string, japanese: string) => (isKnown(code) ? t(`followUp.${code}`) : japanese);
  return (
    <section className="panel" aria-labelledby="follow-ups" data-testid="bcp-follow-ups">
      <h2 id="follow-ups">{t("reports.followUps")}</h2>
      {detail.follow_ups.length === 0 ? <p className="fine">{t("reports.noFollowUps")}</p> : null}
      <ul className="follow-ups">
        {detail.follow_ups.map(({ code, count, text_ja: japanese }) => (
          <li key={code}>
            <strong>{t("reports.count", { count })}</strong>
            <span>{words(code, japanese)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
