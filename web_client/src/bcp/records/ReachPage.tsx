/** The people of one declaration: large numbers, whom to telephone, then by class and by duty. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { useLoad } from "../../app/useLoad";
import { ErrorNotice, Loading, PageHeading } from "../../ui/PageStates";
import { bcp } from "../endpoints";
import { LevelBand } from "../LevelBand";
import { declarationName } from "../names";
import { NotShown } from "../NotShown";
import { CallLists } from "./CallLists";
import { DutyTallies } from "./DutyTallies";
import { files } from "./endpoints";
import { FileLink } from "./FileLink";
import { TallyRow } from "./TallyRow";
import { Tiles } from "./Tiles";
import type { ReachView } from "./types";
import { useCallLists, useReach } from "./useReach";

export function ReachPage({ id }: { readonly id: string }) {
  const { t } = useTranslation("bcp");
  const { value: declaration, error: unknown, reload: again } = useLoad((options) => bcp.declaration(id, options));
  const { value: reach, error, reload } = useReach(id);
  const { value: lists } = useCallLists(id);
  if (declaration === null || reach === null) {
    const failure = unknown ?? error;
    if (failure === null) {
      return <Loading />;
    }
    return (
      <NotShown
        title={t("reach.title")}
        error={failure}
        onRetry={() => Promise.all([again(), reload()])}
        gone={t("declaration.gone")}
      />
    );
  }
  const { level, drill } = declaration;
  return (
    <>
      <PageHeading title={`${t("reach.title")} ${declarationName(declaration)}`}>{t("reach.title")}</PageHeading>
      <section className={`declaration level-${level}${drill ? " is-drill" : ""}`} data-testid="bcp-reach">
        <LevelBand declaration={declaration} />
        <div className="declaration-body">
          <p className="fine">{t("reach.updated", { time: dateTime(reach.now) })}</p>
          <Tiles tally={reach.total} />
          <div className="bcp-actions print-hidden">
            <FileLink href={files.notice(id)} icon="print" testId="bcp-print-notice">
              {t("reach.printNotice")}
            </FileLink>
          </div>
        </div>
      </section>
      {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
      <Classes reach={reach} />
      {lists === null ? <Loading /> : <CallLists lists={lists} title={`${declarationName(declaration)} ${dateTime(reach.now)}`} />}
      {reach.duties.length === 0 ? null : <DutyTallies declarationId={id} duties={reach.duties} />}
    </>
  );
}

function Classes({ reach }: { readonly reach: ReachView }) {
  const { t } = useTranslation("bcp");
  return (
    <section className="panel" aria-labelledby="by-class">
      <h2 id="by-class">{t("reach.byClass")}</h2>
      <ul className="tallies">
        {reach.classes.map(({ priority, tally }) => (
          <TallyRow
            key={priority ?? "none"}
            testId={`bcp-class-${priority ?? "none"}`}
            title={
              <>
                <span className="class-chip">{priority ?? t("reach.noClass")}</span>{" "}
                <strong>{t(`reach.class.${priority ?? "none"}`)}</strong>
              </>
            }
            tally={tally}
          />
        ))}
      </ul>
    </section>
  );
}
