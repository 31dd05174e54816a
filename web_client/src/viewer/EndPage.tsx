/** Why it ended, how long the person worked, what to do next. The gateway's own words come first when it has some. */
import { useTranslation } from "react-i18next";
import { sessions } from "../api/endpoints";
import { useState } from "react";
import { dateTime, duration } from "../app/format";
import { navigate } from "../app/router";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { ErrorNotice, PageHeading } from "../ui/PageStates";
import type { EndKind } from "./closing";
import type { ViewerState } from "./connection";

interface EndPageProps {
  readonly state: ViewerState;
  readonly end: EndKind;
  readonly at: number;
}

const CALM: ReadonlySet<EndKind> = new Set(["disconnected", "logged_off"]);
/** Ends after which the same desktop may be there still. */
const MAY_RETURN: ReadonlySet<EndKind> = new Set(["disconnected", "taken_over", "idle", "failed", "busy", "stopped", "protocol", "preempted", "lapsed"]);

/** The work is done, or a seat was given up. Whom a fault or a switch interrupts wants no thanks. */
const THANKED: ReadonlySet<EndKind> = new Set(["disconnected", "logged_off", "total_limit", "preempted"]);

/** Coming back means to wait for a seat. */
const QUEUES: ReadonlySet<EndKind> = new Set(["preempted", "lapsed"]);

export function EndPage({ state, end, at }: EndPageProps) {
  const { t } = useTranslation();
  const { info } = state;
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const ownWords = CALM.has(end) ? "" : pick(info?.end_text_ja, info?.end_text_en);

  const again = async () => {
    if (info === null) {
      return;
    }
    setBusy(true);
    try {
      const session = await sessions.open(info.pool_id);
      // Often the same address: the new visit starts a new viewer.
      navigate({ page: "view", sessionId: session.id }, "replace");
    } catch (problem) {
      setFailure(problem);
      setBusy(false);
    }
  };

  return (
    <div className="narrow end" data-testid="viewer-end" data-end={end}>
      <div className={`end-head${CALM.has(end) ? " end-calm" : ""}`}>
        <Icon name={CALM.has(end) ? "check" : "info"} size={36} />
        <PageHeading title={t(`viewer.end.titles.${end}`)}>{t(`viewer.end.titles.${end}`)}</PageHeading>
      </div>
      <p className="lead" data-testid="viewer-end-reason">
        {ownWords === "" ? t(`viewer.end.bodies.${end}`) : ownWords}
      </p>
      {state.seen && THANKED.has(end) ? <p className="end-thanks">{t(end === "preempted" ? "viewer.end.thanksRoom" : "viewer.end.thanks")}</p> : null}
      {info === null ? null : (
        <section className="panel">
          <dl>
            <div>
              <dt>{t("viewer.end.desktop")}</dt>
              <dd>{pick(info.name_ja, info.name_en)}</dd>
            </div>
            {/* Nobody may ask for the time any more once the log-in is over: what was known before is too little. */}
            {end === "signed_out" ? null : (
              <div>
                <dt>{t("viewer.end.worked")}</dt>
                <dd data-testid="viewer-worked">{duration(info.active_seconds)}</dd>
              </div>
            )}
            <div>
              <dt>{t("viewer.end.when")}</dt>
              <dd>{dateTime(new Date(at).toISOString())}</dd>
            </div>
            <div>
              <dt>{t("viewer.end.session")}</dt>
              <dd>{info.short_code}</dd>
            </div>
          </dl>
        </section>
      )}
      {failure === null ? null : <ErrorNotice error={failure} />}
      <section aria-labelledby="next">
        <h2 id="next">{t("viewer.end.what")}</h2>
        <div className="end-actions">
          <Button kind="primary" icon="desktop" onPress={() => navigate({ page: "desktops" })} data-testid="end-desktops">
            {t(end === "signed_out" ? "viewer.end.logIn" : "viewer.end.list")}
          </Button>
          {info !== null && MAY_RETURN.has(end) ? (
            <Button kind="secondary" icon="plug" onPress={() => void again()} busy={busy} data-testid="end-again">
              {t(end === "taken_over" ? "viewer.end.here" : QUEUES.has(end) ? "viewer.end.queue" : "viewer.end.again")}
            </Button>
          ) : null}
        </div>
        {end === "signed_out" ? null : <p className="fine">{t("viewer.end.logoutHint")}</p>}
      </section>
    </div>
  );
}
