/** All plans: what counts, what waits for a second person, what was before. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { navigate } from "../../app/router";
import { useChanges } from "../../app/useChanges";
import { useLoad } from "../../app/useLoad";
import { pick } from "../../i18n";
import { Button, Notice } from "../../ui/controls";
import { ErrorNotice, Loading, PageHeading } from "../../ui/PageStates";
import { mayPropose } from "../permission";
import { useKnownStatus } from "../status";
import { plans } from "./endpoints";
import { Problems } from "./Problems";
import type { PlanVersion } from "./types";

const SHOWN = ["in_force", "unusable", "proposed"];

export function PlansPage() {
  const { t } = useTranslation("plans");
  const { me } = useKnownStatus();
  const { value, error, reload } = useLoad(plans.versions);
  useChanges(["bcp"], () => void reload({ background: true }));
  const byPlan = new Map<string, PlanVersion[]>();
  for (const version of value?.items ?? []) {
    byPlan.set(version.plan_id, [...(byPlan.get(version.plan_id) ?? []), version]);
  }
  return (
    <div className="bcp-narrow">
      <PageHeading title={t("title")}>{t("title")}</PageHeading>
      <p className="lead">{t("lead")}</p>
      {mayPropose(me.roles) ? (
        <div>
          <Button
            kind="primary"
            onPress={() => navigate({ page: "bcp", view: { kind: "plan-edit", id: "new" } })}
            data-testid="plan-new"
          >
            {t("new")}
          </Button>
        </div>
      ) : null}
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <ErrorNotice error={error} onRetry={reload} />
        )
      ) : (
        <>
          {value.problems.length === 0 ? null : (
            <section aria-labelledby="plan-problems">
              <h2 id="plan-problems">{t("problems")}</h2>
              <Problems problems={value.problems} />
            </section>
          )}
          {value.items.length === 0 ? <p>{t("none")}</p> : null}
          {[...byPlan.entries()].map(([id, versions]) => (
            <Plan key={id} id={id} versions={versions} />
          ))}
        </>
      )}
    </div>
  );
}

function Plan({ id, versions }: { readonly id: string; readonly versions: readonly PlanVersion[] }) {
  const { t } = useTranslation("plans");
  const counts = versions.find((one) => one.standing === "in_force" || one.standing === "unusable") ?? versions[0];
  const shown = versions.filter((one) => SHOWN.includes(one.standing));
  const older = versions.filter((one) => !SHOWN.includes(one.standing));
  return (
    <section className="panel" aria-labelledby={`plan-${id}`} data-testid={`plan-${id}`}>
      <h2 id={`plan-${id}`}>{t("planHeading", { name: pick(counts?.name_ja, counts?.name_en) })}</h2>
      <ul className="plan-versions">
        {shown.map((version) => (
          <VersionRow key={version.id} version={version} />
        ))}
      </ul>
      {older.length === 0 ? null : (
        <details>
          <summary>{t("history", { count: older.length })}</summary>
          <ul className="plan-versions">
            {older.map((version) => (
              <VersionRow key={`${version.id} ${version.from_file}`} version={version} />
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function VersionRow({ version }: { readonly version: PlanVersion }) {
  const { t } = useTranslation("plans");
  return (
    <li data-testid={`plan-version-${version.id}`} data-standing={version.standing}>
      <div>
        <p>
          <strong>{t("versionOf", { version: version.version })}</strong>{" "}
          <span className={`tag plan-${version.standing}`}>{t(`standing.${version.standing}`)}</span>
        </p>
        <Signed version={version} />
        {version.note === "" ? null : <p>{version.note}</p>}
        {version.standing === "unusable" ? (
          <Notice kind="error" live={false}>
            <p>{t("unusableHelp")}</p>
          </Notice>
        ) : null}
      </div>
      <Button
        kind={version.may.includes("adopt") ? "primary" : "secondary"}
        onPress={() => navigate({ page: "bcp", view: { kind: "plan", id: version.id } })}
        aria-label={`${t("open")}: ${pick(version.name_ja, version.name_en)} ${t("versionOf", { version: version.version })}`}
        data-testid={`plan-open-${version.id}`}
      >
        {t("open")}
      </Button>
    </li>
  );
}

/** Who signed it, or that it came from the file. */
export function Signed({ version }: { readonly version: PlanVersion }) {
  const { t } = useTranslation("plans");
  const { proposed, adopted } = version;
  return (
    <p className="fine">
      {proposed === null
        ? t("fromFile")
        : t("proposedBy", { person: proposed.display_name, time: dateTime(proposed.at) })}
      {adopted === null ? null : ` / ${t("adoptedBy", { person: adopted.display_name, time: dateTime(adopted.at) })}`}
    </p>
  );
}
