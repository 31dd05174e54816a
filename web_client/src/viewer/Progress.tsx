/** The way to the desktop in stages, told to screen readers as it goes. */
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import { pick } from "../i18n";
import { Button, Notice } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { PageHeading } from "../ui/PageStates";
import type { ViewerState } from "./connection";
import { useSeconds } from "./hooks";
import { isHeld } from "./queue";
import { Held, Waiting } from "./Waiting";

const STAGES = ["requested", "queued", "starting", "connecting"] as const;
const LONG_WAIT_MS = 30_000;

/** Index of the stage that is going on. */
export function stageIndex(state: ViewerState): number {
  if (state.phase.kind === "connecting" || state.phase.kind === "waiting") {
    return 3;
  }
  switch (state.info?.state) {
    case undefined:
    case "requested":
      return 0;
    case "queued":
      return 1;
    case "starting":
      return 2;
    default:
      return 3;
  }
}

export function Progress({ state, onBack }: { readonly state: ViewerState; readonly onBack: () => void }) {
  const { t } = useTranslation();
  useSeconds(true);
  const { phase, info } = state;
  const now = stageIndex(state);
  const stageText = phase.kind === "waiting" ? null : pick(info?.stage_ja, info?.stage_en);
  const queue = info?.state === "queued" ? (info.queue ?? null) : null;
  const held = isHeld(info) && phase.kind !== "connecting";
  const heading = t(held ? "viewer.queue.held" : queue === null ? "viewer.preparing" : "viewer.queue.waiting");
  const late = phase.kind === "preparing" && gatewayNow() - phase.since > LONG_WAIT_MS;
  return (
    <div className="narrow progress" data-testid="viewer-progress">
      <PageHeading title={heading}>{heading}</PageHeading>
      {info === null ? null : <p className="progress-name">{pick(info.name_ja, info.name_en)}</p>}
      {queue === null ? null : <Waiting queue={queue} />}
      {held && info !== null ? <Held info={info} /> : null}
      <div className="panel">
        <ol className="stages">
          {STAGES.map((stage, index) => {
            const how = index < now ? "done" : index === now ? "now" : "next";
            return (
              <li key={stage} className={`stage stage-${how}`} {...(how === "now" ? { "aria-current": "step" as const } : {})}>
                <span className="stage-mark" aria-hidden="true">
                  {how === "done" ? <Icon name="check" size={24} /> : how === "now" ? <span className="spinner" /> : null}
                </span>
                <span>{t(`viewer.stages.${stage}`)}</span>
                <span className="fine">
                  {t(how === "done" ? "viewer.stageDone" : how === "now" ? "viewer.stageNow" : "viewer.stageNext")}
                </span>
              </li>
            );
          })}
        </ol>
        <p className="stage-text" role="status" data-testid="viewer-stage">
          {stageText === null || stageText === "" ? t(`viewer.stages.${STAGES[now] ?? "connecting"}`) : stageText}
        </p>
      </div>
      {phase.kind === "waiting" ? (
        <Notice kind="warning" title={t("error.offlineTitle")}>
          <p>{t("viewer.reconnect.attempt", { count: phase.attempt })}</p>
        </Notice>
      ) : null}
      {late && queue === null && !held ? (
        <Notice kind="info">
          <p>{t("viewer.waitingLong")}</p>
        </Notice>
      ) : null}
      {queue === null ? null : <p className="fine">{t("viewer.queue.leaving")}</p>}
      <div>
        <Button kind="secondary" icon="chevronLeft" onPress={onBack} data-testid="viewer-back">
          {t("viewer.backToList")}
        </Button>
      </div>
    </div>
  );
}
