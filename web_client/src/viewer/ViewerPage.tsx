/**
 * The viewer: progress until the desktop is there, then the picture with its controls, at last the end page.
 * The picture's host stays mounted through all of it, because a stream may open at any moment.
 */
import "../styles/viewer.css";
import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { sessions } from "../api/endpoints";
import { gatewayNow } from "../api/http";
import { stamp } from "../app/format";
import { useMe } from "../app/identity";
import { navigate } from "../app/router";
import { pick } from "../i18n";
import { Notice } from "../ui/controls";
import { Shell } from "../ui/Shell";
import { BcpBanner } from "./BcpBanner";
import { EndPage } from "./EndPage";
import { IdleDialog, LeaveDialog, ReconnectCurtain } from "./dialogs";
import { useActivity, useFreshTerms, useFullscreen, useLeaveGuard, useLimits, useLine, useNetworkEvents, useToast, useToldChanges } from "./hooks";
import { characterCount } from "./keysyms";
import type { TotalWarning } from "./limits";
import { Panels, type PanelName } from "./panels";
import { PreemptionBanner } from "./PreemptionBanner";
import { Progress } from "./Progress";
import { isHeld } from "./queue";
import { dropFrozen } from "./remoteScreen";
import { SoftKeyboard } from "./SoftKeyboard";
import { Toolbar } from "./Toolbar";
import { CANVAS_HELP_ID, useViewer, type Viewer } from "./useViewer";
import { Watermark } from "./watermark";

export default function ViewerPage({ sessionId }: { readonly sessionId: string }) {
  const { t } = useTranslation();
  const stage = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const soft = useRef<HTMLTextAreaElement>(null);
  const toolbar = useRef<HTMLDivElement>(null);
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [barShown, setBarShown] = useState(true);
  const [leaving, setLeaving] = useState(false);
  const [received, setReceived] = useState("");
  const [blocked, setBlocked] = useState(false);
  const { toast, say } = useToast();
  const fullscreen = useFullscreen();

  const viewer = useViewer(sessionId, host, {
    onEscape: () => {
      setBarShown(true);
      requestAnimationFrame(() => toolbar.current?.querySelector<HTMLElement>("button")?.focus());
    },
    onLocalIme: () => say(t("viewer.ime.warn")),
    onClipboard: (text) => {
      setReceived(text);
      say(t("viewer.clipboard.outReceived", { count: characterCount(text) }));
    },
    onLegacyCutText: () => say(t("viewer.clipboard.inLegacy")),
  });
  const { state, connection, screen } = viewer;
  const { phase, info } = state;
  const connected = phase.kind === "connected";
  const limits = useLimits(viewer);
  const line = useLine(viewer);
  useNetworkEvents(viewer);
  useActivity(viewer);
  useFreshTerms(viewer, panel !== null);
  useToldChanges(viewer);
  useLeaveGuard(state.seen && phase.kind !== "over", () => setLeaving(true));
  useWatermark(stage, viewer, setBlocked);

  const place = phase.kind === "preparing" && info?.state === "queued" ? (info.queue?.place ?? null) : null;
  const held = phase.kind === "preparing" && isHeld(info);
  const name = info === null ? "" : pick(info.name_ja, info.name_en);
  useEffect(() => {
    const waiting = place !== null ? t("viewer.queue.pageTitle", { place }) : held ? t("viewer.queue.held") : "";
    const shown = waiting !== "" ? waiting : name === "" ? t("viewer.preparing") : t("viewer.title", { name });
    document.title = `${shown} - ${t("common.product")}`;
  }, [name, place, held, t]);

  const again = phase.kind === "connected" && phase.again;
  useEffect(() => {
    if (connected) {
      say(t(again ? "viewer.reconnect.restored" : "viewer.connected"));
      screen.current?.focus();
    }
  }, [connected, again, say, t, screen]);

  const warned = connected && Boolean(info?.warning);
  const wasWarned = useRef(false);
  useEffect(() => {
    if (connected && wasWarned.current && !warned) {
      say(t("viewer.preemption.withdrawn"));
    }
    wasWarned.current = warned;
  }, [connected, warned, say, t]);

  const over = phase.kind === "over";
  useEffect(() => {
    if (over) {
      setPanel(null);
      setLeaving(false);
      setReceived("");
      if (host.current !== null) {
        dropFrozen(host.current);
      }
      if (document.fullscreenElement !== null) {
        void document.exitFullscreen();
      }
    }
  }, [over]);

  const closePanel = useCallback(() => setPanel(null), []);
  const backToCanvas = useCallback(() => {
    setPanel(null);
    screen.current?.focus();
  }, [screen]);

  const logOff = async () => {
    setLeaving(false);
    try {
      await sessions.logOff(sessionId);
      connection.loggedOff();
    } catch {
      say(t("error.offlineTitle"));
    }
  };

  const visible = state.seen && !over;
  return (
    <>
      {over ? (
        <Shell signedOut={phase.end === "signed_out"}>
          <EndPage state={state} end={phase.end} at={phase.at} />
        </Shell>
      ) : null}
      {!state.seen && !over ? (
        <Shell>
          <Progress state={state} onBack={() => navigate({ page: "desktops" })} />
        </Shell>
      ) : null}
      <div className={`viewer${visible ? "" : " viewer-hidden"}`} data-testid="viewer">
        {visible ? (
          <>
            <Toolbar
              ref={toolbar}
              viewer={viewer}
              name={name}
              line={line}
              panel={panel}
              onPanel={(wanted) => setPanel(panel === wanted ? null : wanted)}
              shown={barShown}
              onShown={setBarShown}
              fullscreen={fullscreen}
              onSoftKeyboard={() => soft.current?.focus()}
              onBackToCanvas={backToCanvas}
              onLeave={() => setLeaving(true)}
            >
              <PreemptionBanner warning={info?.warning} />
              <TotalWarningBanner warning={limits.total} />
              <BcpBanner notices={info?.notices ?? []} />
            </Toolbar>
            <Panels
              open={panel}
              viewer={viewer}
              line={line}
              received={received}
              onClear={() => setReceived("")}
              onClose={closePanel}
            />
          </>
        ) : null}
        <div className="viewer-stage" ref={stage} {...(visible ? { role: "main" } : {})}>
          <div
            className={`viewer-host viewer-host-${viewer.settings.scale}${blocked ? " viewer-blocked" : ""}`}
            ref={host}
            data-testid="viewer-canvas-host"
          />
          {visible && phase.kind !== "connected" ? (
            <ReconnectCurtain state={state} onNow={() => connection.retryNow()} onLeave={() => setLeaving(true)} />
          ) : null}
          <p id={CANVAS_HELP_ID} className="visually-hidden">
            {t("viewer.canvasHelp", { keys: t("viewer.escapeKeys") })} {t("common.accessibility")}
          </p>
          <SoftKeyboard ref={soft} viewer={viewer} label={t("viewer.tools.softKeyboard")} />
          {blocked && visible ? (
            <div className="viewer-curtain">
              <Notice kind="error">
                <p>{t("viewer.watermarkTampered")}</p>
              </Notice>
            </div>
          ) : null}
        </div>
        <div className="viewer-toast" role="status" data-testid="viewer-status">
          {toast === null || !connected ? null : <p key={toast.id}>{toast.text}</p>}
        </div>
      </div>
      <IdleDialog
        seconds={limits.idleSeconds}
        onMore={() => {
          connection.nudge(screen.current?.middle() ?? { x: 0, y: 0 });
          screen.current?.focus();
        }}
      />
      <LeaveDialog
        isOpen={leaving}
        onStay={() => setLeaving(false)}
        onDisconnect={() => {
          setLeaving(false);
          connection.disconnect();
        }}
        onLogOff={() => void logOff()}
      />
    </>
  );
}

function TotalWarningBanner({ warning }: { readonly warning: TotalWarning | null }) {
  const { t } = useTranslation();
  if (warning === null) {
    return null;
  }
  return (
    <div className="viewer-banner">
      <Notice kind={warning.urgent ? "error" : "warning"} testId="viewer-total-warning">
        <p>{t(warning.urgent ? "viewer.total.warnTwo" : "viewer.total.warn", { count: warning.minutes })}</p>
      </Notice>
    </div>
  );
}

/** Keeps name, time and session number over the picture as long as the policy asks for it. */
function useWatermark(
  stage: RefObject<HTMLElement | null>,
  viewer: Viewer,
  onBlocked: (blocked: boolean) => void,
): void {
  const me = useMe();
  const { info, seen, phase } = viewer.state;
  const wanted = info?.obligations.watermark === true && seen && phase.kind !== "over";
  const code = info?.short_code ?? "";
  const { display_name: displayName, username } = me.user;
  useEffect(() => {
    if (!wanted || stage.current === null) {
      return undefined;
    }
    const watermark = new Watermark(
      stage.current,
      () => [`${displayName} (${username})`, `${stamp(gatewayNow())}  ${code}`],
      onBlocked,
    );
    watermark.start();
    return () => {
      watermark.stop();
      onBlocked(false);
    };
  }, [wanted, code, displayName, username, stage, onBlocked]);
}
