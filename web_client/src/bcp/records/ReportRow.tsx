/** One frozen report: what it is about, when and by whom it was made, its hash, its files. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { navigate } from "../../app/router";
import { pick } from "../../i18n";
import { Button } from "../../ui/controls";
import { Icon } from "../../ui/Icon";
import { shortDigest } from "../diff";
import { LevelMark } from "../LevelMark";
import { drillMark } from "../names";
import { files } from "./endpoints";
import { FileLink } from "./FileLink";
import { madeBy, reportName } from "./reportNames";
import type { ReportHead } from "./types";

interface ReportRowProps {
  readonly head: ReportHead;
  /** Of its heading: the row stands right below the page's own, or in a section. */
  readonly level: 2 | 3;
  /** On its own page there is nothing more to open. */
  readonly here?: boolean;
}

export function ReportRow({ head, level, here = false }: ReportRowProps) {
  const { t } = useTranslation("bcp");
  const { id, about } = head;
  const headingId = `report-${id}`;
  const name = reportName(head);
  const Heading = `h${level}` as const;
  return (
    <li className={`panel report${about === null ? "" : ` level-${about.level}`}${about?.drill ? " is-drill" : ""}`} data-testid={`bcp-report-${id}`}>
      <article aria-labelledby={headingId}>
        <Heading id={headingId}>
          {about === null ? null : <LevelMark level={about.level} />}
          <span>
            {about?.drill ? <span className="drill-tag">{drillMark(true).trim()}</span> : null} {name}
          </span>
        </Heading>
        {about === null ? null : (
          <p className="fine">
            {pick(about.plan_ja, about.plan_en)} / {t(`state.${about.state}`)}
            {about.starts_at === null ? null : ` / ${about.ended_at === null ? t("reports.since", { from: dateTime(about.starts_at) }) : t("reports.fromTo", { from: dateTime(about.starts_at), to: dateTime(about.ended_at) })}`}
          </p>
        )}
        <p>
          <span className="frozen">
            <Icon name="lock" />
            {t("reports.frozen", { edition: head.edition })}
          </span>{" "}
          {t("reports.made", { time: dateTime(head.made_at), person: madeBy(head) })}
        </p>
        <p className="digest">
          SHA-256: <code>{shortDigest(head.sha256)}</code>
        </p>
        <div className="bcp-actions report-actions">
          {here ? null : (
            <Button
              kind="secondary"
              onPress={() => navigate({ page: "bcp", view: { kind: "report", id } })}
              aria-label={t("reports.openNamed", { name })}
              data-testid={`bcp-report-open-${id}`}
            >
              {t("reports.open")}
            </Button>
          )}
          <FileLink href={files.pdf(id)} icon="print" label={t("reports.pdfNamed", { name })} testId={`bcp-report-pdf-${id}`}>
            {t("reports.pdf")}
          </FileLink>
          <FileLink href={files.csv(id)} icon="clipboard" label={t("reports.csvNamed", { name })} testId={`bcp-report-csv-${id}`}>
            {t("reports.csv")}
          </FileLink>
        </div>
      </article>
    </li>
  );
}
