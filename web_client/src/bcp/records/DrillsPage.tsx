/** The fiscal year's calendar of drills: one owed in each half; what was held, what is owed, what was missed. */
import { useTranslation } from "react-i18next";
import { Link } from "react-aria-components";
import { day as dayWords } from "../../app/format";
import { navigate } from "../../app/router";
import { useLoad } from "../../app/useLoad";
import { pick } from "../../i18n";
import { Button, Notice } from "../../ui/controls";
import { Icon, type IconName } from "../../ui/Icon";
import { Loading, PageHeading } from "../../ui/PageStates";
import { drillMark } from "../names";
import { NotShown } from "../NotShown";
import { mayPropose } from "../permission";
import { useKnownStatus } from "../status";
import { records } from "./endpoints";
import type { HalfState, HalfYear } from "./types";

const ICONS: Record<HalfState | "missed", IconName> = {
  done: "check",
  open: "clock",
  due_soon: "warning",
  overdue: "error",
  missed: "info",
};

export function DrillsPage() {
  const { t } = useTranslation("bcp");
  const { me } = useKnownStatus();
  const { value, error, reload } = useLoad(records.drills);
  if (value === null) {
    return error === null ? <Loading /> : <NotShown title={t("drills.title")} error={error} onRetry={reload} />;
  }
  return (
    <div className="bcp-narrow">
      <PageHeading title={t("drills.title")}>{t("drills.title")}</PageHeading>
      <p>{t("drills.lead")}</p>
      {value.overdue ? (
        <Notice kind="warning" live={false} testId="bcp-drill-overdue">
          <p>{t("drills.overdue")}</p>
        </Notice>
      ) : null}
      {mayPropose(me.roles) ? (
        <div>
          <Button
            kind="primary"
            icon="clipboard"
            onPress={() => navigate({ page: "bcp", view: { kind: "drill" } })}
            data-testid="bcp-drills-start"
          >
            {t("board.drill")}
          </Button>
        </div>
      ) : null}
      {value.years.map((year, index) => (
        <section key={year.name_en} className="panel" aria-labelledby={`year-${year.name_en}`} data-testid={`bcp-year-${index}`}>
          <h2 id={`year-${year.name_en}`}>
            {pick(year.name_ja, year.name_en)} {index === 0 ? t("drills.thisYear") : ""}
          </h2>
          <ul className="halves">
            {year.halves.map((half) => (
              <Half key={half.first} half={half} past={index > 0} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Half({ half, past }: { readonly half: HalfYear; readonly past: boolean }) {
  const { t } = useTranslation("bcp");
  // What lies a year back is no alarm any more, and perhaps from before anything was kept.
  const state = past && half.state === "overdue" ? "missed" : half.state;
  return (
    <li className={`half half-${state}`} data-state={state}>
      <h3>{pick(half.name_ja, half.name_en)}</h3>
      <p className="half-state">
        <Icon name={ICONS[state]} />
        <strong>{t(`drills.state.${state}`)}</strong>
      </p>
      {state === "done" || state === "missed" ? null : <p className="fine">{t("drills.until", { day: dayWords(half.last) })}</p>}
      <ul className="half-drills">
        {half.drills.map((drill) => (
          <li key={drill.declaration_id}>
            <Link
              className="history-link"
              onPress={() => navigate({ page: "bcp", view: { kind: "declaration", id: drill.declaration_id } })}
            >
              {drillMark(true)}
              {dayWords(drill.day)}
            </Link>
          </li>
        ))}
      </ul>
    </li>
  );
}
