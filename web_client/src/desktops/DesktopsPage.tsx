/** "My desktops": what I may use now, what I may not and why, and how my log-in stands. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { account, desktops, sessions } from "../api/endpoints";
import type { RequestOptions } from "../api/http";
import type { DesktopInfo } from "../api/types";
import { useMe } from "../app/identity";
import { navigate } from "../app/router";
import { useChanges } from "../app/useChanges";
import { useLoad } from "../app/useLoad";
import { pick } from "../i18n";
import { staffNotices } from "../notices/endpoints";
import { NoticesSection } from "../notices/NoticesSection";
import { Button, Notice } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { NoticeBanners } from "../ui/NoticeBanners";
import { ErrorNotice, Loading, PageHeading } from "../ui/PageStates";
import { DesktopCard, isUsable } from "./DesktopCard";
import { DutiesSection } from "./DutiesSection";
import { duties } from "./duties";

type Question = { readonly kind: "takeOver" | "logOff"; readonly desktop: DesktopInfo };

export function DesktopsPage() {
  const { t } = useTranslation();
  const { value, error, reload: reloadDesktops } = useLoad(desktops.list);
  const { value: held, reload: reloadDuties } = useLoad(duties.list);
  const { value: told, reload: reloadNotices } = useLoad(staffNotices.list);
  const reload = useCallback(
    async (options: RequestOptions = {}) => {
      await Promise.all([reloadDesktops(options), reloadDuties(options), reloadNotices(options)]);
    },
    [reloadDesktops, reloadDuties, reloadNotices],
  );
  const [failure, setFailure] = useState<unknown>(null);
  const [opening, setOpening] = useState<string | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const [done, setDone] = useState<string | null>(null);
  useFreshness(reload, value?.items ?? []);
  useLateNotices(reloadNotices);

  const open = useCallback(async (desktop: DesktopInfo) => {
    setOpening(desktop.pool_id);
    setFailure(null);
    try {
      const session = await sessions.open(desktop.pool_id);
      navigate({ page: "view", sessionId: session.id });
    } catch (problem) {
      setFailure(problem);
      setOpening(null);
    }
  }, []);

  const logOff = async (desktop: DesktopInfo) => {
    setQuestion(null);
    if (desktop.session === null) {
      return;
    }
    try {
      await sessions.logOff(desktop.session.id);
      setDone(t("desktops.loggedOff", { name: pick(desktop.name_ja, desktop.name_en) }));
    } catch (problem) {
      setFailure(problem);
    }
    await reload();
  };

  const choose = (desktop: DesktopInfo) => {
    if (desktop.session?.state === "active") {
      setQuestion({ kind: "takeOver", desktop });
    } else {
      void open(desktop);
    }
  };

  const items = value?.items ?? [];
  const usable = items.filter(isUsable);
  const unusable = items.filter((item) => !isUsable(item));
  const insteadOf = ({ unreachable }: DesktopInfo) => items.find((item) => item.pool_id === unreachable?.instead_pool_id);
  const card = (desktop: DesktopInfo) => (
    <DesktopCard
      key={desktop.pool_id}
      desktop={desktop}
      instead={insteadOf(desktop)}
      opening={opening === desktop.pool_id}
      onOpen={() => choose(desktop)}
      onOpenInstead={() => {
        const other = insteadOf(desktop);
        if (other !== undefined) {
          choose(other);
        }
      }}
      onLogOff={() => setQuestion({ kind: "logOff", desktop })}
    />
  );

  return (
    <>
      <div className="page-top">
        <div>
          <PageHeading title={t("desktops.title")}>{t("desktops.title")}</PageHeading>
          <p className="lead">{t("desktops.lead")}</p>
        </div>
        <Button kind="quiet" icon="refresh" onPress={() => void reload()} data-testid="desktops-reload">
          {t("common.reload")}
        </Button>
      </div>
      <NoticeBanners notices={value?.notices ?? []} />
      <NoticesSection items={told?.items ?? []} onChanged={reloadNotices} />
      {failure === null ? null : <ErrorNotice error={failure} />}
      {done === null ? null : (
        <Notice kind="success">
          <p>{done}</p>
        </Notice>
      )}
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <ErrorNotice error={error} onRetry={reload} />
        )
      ) : (
        <div className="columns">
          <div className="column-main">
            {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
            {items.length === 0 ? (
              <Notice kind="info" title={t("desktops.none")}>
                <p>{t("desktops.noneBody")}</p>
              </Notice>
            ) : (
              <section aria-labelledby="usable">
                <h2 id="usable">{t("desktops.usable")}</h2>
                {usable.length === 0 ? (
                  <Notice kind="info">
                    <p>{t("desktops.noneUsable")}</p>
                  </Notice>
                ) : (
                  <ul className="cards">{usable.map(card)}</ul>
                )}
              </section>
            )}
            {unusable.length === 0 ? null : (
              <section aria-labelledby="unusable">
                <h2 id="unusable">{t("desktops.unusable")}</h2>
                <ul className="cards">{unusable.map(card)}</ul>
              </section>
            )}
            <DutiesSection items={held?.items ?? []} />
          </div>
          <LoginStatus />
        </div>
      )}
      <Dialog
        isOpen={question !== null}
        onClose={() => setQuestion(null)}
        title={t(question?.kind === "logOff" ? "desktops.logOffTitle" : "desktops.takeOverTitle")}
        actions={
          <>
            <Button kind="secondary" onPress={() => setQuestion(null)}>
              {t("common.cancel")}
            </Button>
            {question?.kind === "logOff" ? (
              <Button kind="danger" onPress={() => void logOff(question.desktop)} data-testid="logoff-confirm">
                {t("desktops.logOffYes")}
              </Button>
            ) : (
              <Button
                kind="primary"
                data-testid="takeover-confirm"
                onPress={() => {
                  setQuestion(null);
                  if (question !== null) {
                    void open(question.desktop);
                  }
                }}
              >
                {t("desktops.takeOverYes")}
              </Button>
            )}
          </>
        }
      >
        <p>{t(question?.kind === "logOff" ? "desktops.logOffBody" : "desktops.takeOverBody")}</p>
      </Dialog>
    </>
  );
}

/** Loads again when something may have changed, when the page comes to be seen, and when a desktop becomes available. */
function useFreshness(reload: (options: RequestOptions) => Promise<void>, items: readonly DesktopInfo[]): void {
  useChanges(["desktops", "sessions"], () => void reload({ background: true }));
  const starts = items.map((item) => Date.parse(item.reason?.available_from ?? "")).filter((time) => time > Date.now());
  const next = starts.length === 0 ? null : Math.min(...starts);
  useEffect(() => {
    const wait = next === null ? Number.POSITIVE_INFINITY : next - Date.now() + 1_000;
    // setTimeout counts in 32 bits; a start days away is for another page load anyway.
    if (wait > 24 * 3_600_000) {
      return undefined;
    }
    const timer = window.setTimeout(() => void reload({ background: true }), wait);
    return () => window.clearTimeout(timer);
  }, [next, reload]);
}

const WRITTEN_MS = 3_000;

/** A declaration counts at once; the notice to me is written a moment later, so it is asked for once more. */
function useLateNotices(reload: (options: RequestOptions) => Promise<void>): void {
  const timer = useRef<number | undefined>(undefined);
  useChanges(["desktops"], () => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void reload({ background: true }), WRITTEN_MS);
  });
  useEffect(() => () => window.clearTimeout(timer.current), []);
}

function LoginStatus() {
  const { t } = useTranslation();
  const me = useMe();
  const { value } = useLoad(account.webSessions);
  const others = value?.items.filter((item) => !item.current).length;
  return (
    <aside className="panel status-panel" aria-labelledby="status">
      <h2 id="status">{t("desktops.status")}</h2>
      <dl>
        <div>
          <dt>{t("desktops.codesLeft")}</dt>
          <dd data-testid="recovery-codes-left">{t("desktops.codesUnit", { count: me.recovery_codes_left })}</dd>
        </div>
        <div>
          <dt>{t("desktops.otherSessions")}</dt>
          <dd data-testid="other-sessions">
            {others === undefined ? "" : t("desktops.otherSessionsCount", { count: others })}
          </dd>
        </div>
      </dl>
      {me.recovery_codes_left <= 3 ? <p className="status-warning">{t("desktops.codesFew")}</p> : null}
      <Button kind="secondary" wide onPress={() => navigate({ page: "account" })}>
        {t("desktops.details")}
      </Button>
    </aside>
  );
}
