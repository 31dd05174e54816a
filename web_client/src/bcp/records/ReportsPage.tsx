/** All after-action reports, newest first. */
import { useTranslation } from "react-i18next";
import { useLoad } from "../../app/useLoad";
import { ErrorNotice, Loading, PageHeading } from "../../ui/PageStates";
import { records } from "./endpoints";
import { ReportRow } from "./ReportRow";

export function ReportsPage() {
  const { t } = useTranslation("bcp");
  const { value, error, reload } = useLoad(records.reports);
  return (
    <div className="bcp-narrow">
      <PageHeading title={t("reports.title")}>{t("reports.title")}</PageHeading>
      <p>{t("reports.lead")}</p>
      {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
      {value === null ? (
        error === null ? (
          <Loading />
        ) : null
      ) : value.items.length === 0 ? (
        <p className="panel" data-testid="bcp-reports-none">
          {t("reports.none")}
        </p>
      ) : (
        <ul className="cards" data-testid="bcp-reports">
          {value.items.map((head) => (
            <ReportRow key={head.id} head={head} level={2} />
          ))}
        </ul>
      )}
    </div>
  );
}
