/** The reports of one declaration, and a new one now: for the meeting that cannot wait for the end. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLoad } from "../../app/useLoad";
import { Button } from "../../ui/controls";
import { ErrorNotice } from "../../ui/PageStates";
import { useFlash } from "../flash";
import { mayPropose } from "../permission";
import { useKnownStatus } from "../status";
import type { DeclarationView } from "../types";
import { records } from "./endpoints";
import { ReportRow } from "./ReportRow";

export function ReportsOf({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { me } = useKnownStatus();
  const { say } = useFlash();
  const { value, error, reload } = useLoad(records.reports);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const freeze = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await records.freeze(declaration.id);
      say(t("reports.done"));
      await reload();
    } catch (problem) {
      setFailure(problem);
    }
    setBusy(false);
  };
  const own = value?.items.filter((head) => head.declaration_id === declaration.id) ?? [];
  return (
    <section aria-labelledby="reports" data-testid="bcp-reports-of">
      <h2 id="reports">{t("reports.title")}</h2>
      <p className="fine">{t(own.length === 0 ? "reports.noneYet" : "reports.ofLead")}</p>
      {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
      <ul className="cards">
        {own.map((head) => (
          <ReportRow key={head.id} head={head} level={3} />
        ))}
      </ul>
      {failure === null ? null : <ErrorNotice error={failure} />}
      {mayPropose(me.roles) ? (
        <div>
          <Button kind="secondary" icon="lock" busy={busy} onPress={() => void freeze()} data-testid="bcp-freeze">
            {t(busy ? "act.working" : "reports.freeze")}
          </Button>
        </div>
      ) : null}
    </section>
  );
}
