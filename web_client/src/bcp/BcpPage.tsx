/**
 * The BCP console: state at a glance, declare, approve, narrow, lift, records. For coordinators, approvers, auditors.
 * The gateway decides every step; this shows what it says and asks before it sends.
 */
import "./texts";
import "./plans/texts";
import "../styles/bcp.css";
import "../styles/plans.css";
import "../styles/records.css";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { navigate, pathOf, type BcpView } from "../app/router";
import { Button, Notice } from "../ui/controls";
import { Loading } from "../ui/PageStates";
import { Announcer } from "./Announcer";
import { Board } from "./Board";
import { DeclarationPage } from "./DeclarationPage";
import { DeclareFlow } from "./declare/DeclareFlow";
import { ExtendPage } from "./ExtendPage";
import { FlashProvider, useFlash } from "./flash";
import { NotShown } from "./NotShown";
import { isReader } from "./permission";
import { DrillsPage } from "./records/DrillsPage";
import { ReachPage } from "./records/ReachPage";
import { ReportPage } from "./records/ReportPage";
import { ReportsPage } from "./records/ReportsPage";
import { PlanEditPage } from "./plans/PlanEditPage";
import { PlanPage } from "./plans/PlanPage";
import { PlansPage } from "./plans/PlansPage";
import { StatusProvider, useStatus } from "./status";
import { Tabs } from "./Tabs";

export default function BcpPage({ view }: { readonly view: BcpView }) {
  useDark();
  const path = pathOf({ page: "bcp", view });
  // Another part of the console begins at its top, wherever the last one was read.
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [path]);
  return (
    <StatusProvider>
      <FlashProvider>
        <div className="bcp">
          <Content view={view} />
        </div>
      </FlashProvider>
    </StatusProvider>
  );
}

function Content({ view }: { readonly view: BcpView }) {
  const { t } = useTranslation("bcp");
  const { status, error, reload } = useStatus();
  if (status === null) {
    return error === null ? <Loading /> : <NotShown title={t("title")} error={error} onRetry={reload} />;
  }
  return (
    <>
      <Announcer />
      <Top view={view} />
      {isReader(status.me.roles) ? (
        <Notice kind="info" live={false} testId="bcp-read-only">
          <p>{t("readOnly")}</p>
        </Notice>
      ) : null}
      <View view={view} />
    </>
  );
}

function Top({ view }: { readonly view: BcpView }) {
  const { t } = useTranslation("bcp");
  const { status, error, asleep, wake, reload } = useStatus();
  const { text } = useFlash();
  const above = parentOf(view);
  return (
    <>
      <Tabs view={view} />
      {above === null ? null : (
        <div className="bcp-top print-hidden">
          <Button
            kind="quiet"
            icon="chevronLeft"
            onPress={() => navigate({ page: "bcp", view: above })}
            data-testid="bcp-back"
          >
            {t(above.kind === "reports" ? "reports.back" : above.kind === "plans" ? "backToPlans" : "back")}
          </Button>
        </div>
      )}
      {text === null ? null : <Done text={text} />}
      {error === null || status === null ? null : (
        <Notice
          kind="warning"
          testId="bcp-stale"
          actions={
            <Button kind="secondary" icon="refresh" onPress={() => void reload()}>
              {t("retry")}
            </Button>
          }
        >
          <p>{t("stale", { time: dateTime(status.now) })}</p>
        </Notice>
      )}
      {asleep ? (
        <Notice
          kind="info"
          testId="bcp-asleep"
          actions={
            <Button kind="secondary" icon="refresh" onPress={wake}>
              {t("resume")}
            </Button>
          }
        >
          <p>{t("paused")}</p>
        </Notice>
      ) : null}
    </>
  );
}

/** Where "back" leads: null for the pages that have a tab, and for the flows, which have a way back of their own. */
function parentOf(view: BcpView): BcpView | null {
  switch (view.kind) {
    case "declaration":
    case "extend":
    case "people":
      return { kind: "board" };
    case "report":
      return { kind: "reports" };
    case "plan":
    case "plan-edit":
      return { kind: "plans" };
    case "board":
    case "reports":
    case "drills":
    case "plans":
    case "declare":
    case "drill":
    case "break-glass":
      return null;
  }
}

/** Seen even when the button that led here stood far down the page. */
function Done({ text }: { readonly text: string }) {
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [text]);
  return (
    <Notice kind="success" testId="bcp-done">
      <p>{text}</p>
    </Notice>
  );
}

function View({ view }: { readonly view: BcpView }) {
  switch (view.kind) {
    case "board":
      return <Board />;
    case "declare":
    case "drill":
    case "break-glass":
      return <DeclareFlow key={view.kind} flow={view.kind} />;
    case "declaration":
      return <DeclarationPage key={view.id} id={view.id} />;
    case "extend":
      return <ExtendPage key={view.id} id={view.id} />;
    case "people":
      return <ReachPage key={view.id} id={view.id} />;
    case "reports":
      return <ReportsPage />;
    case "report":
      return <ReportPage key={view.id} id={view.id} />;
    case "drills":
      return <DrillsPage />;
    case "plans":
      return <PlansPage />;
    case "plan":
      return <PlanPage key={view.id} id={view.id} />;
    case "plan-edit":
      return <PlanEditPage key={view.id} id={view.id} />;
  }
}

/** The page follows the device into the dark; the other pages stay as they are. */
function useDark(): void {
  useEffect(() => {
    document.documentElement.classList.add("follows-scheme");
    return () => document.documentElement.classList.remove("follows-scheme");
  }, []);
}
