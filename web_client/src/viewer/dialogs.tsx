/** What lies over the picture: the idle warning, the question on leaving, the curtain while the line is down. */
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import type { ViewerState } from "./connection";
import { useSeconds } from "./hooks";

/** Any key goes on, as the text says; the count is read out at the start and each 15 s, not each second. */
export function IdleDialog({ seconds, onMore }: { readonly seconds: number | null; readonly onMore: () => void }) {
  const { t } = useTranslation();
  const open = seconds !== null;
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const onKey = (event: KeyboardEvent) => {
      event.preventDefault();
      event.stopPropagation();
      onMore();
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  }, [open, onMore]);
  return (
    <Dialog
      isOpen={open}
      onClose={onMore}
      title={t("viewer.idle.title")}
      alert
      testId="viewer-idle-dialog"
      actions={
        <Button kind="primary" onPress={onMore} data-testid="viewer-idle-more">
          {t("viewer.idle.more")}
        </Button>
      }
    >
      <p aria-hidden="true" className="countdown">
        {seconds ?? 0}
      </p>
      <p>{t("viewer.idle.body", { count: seconds ?? 0 })}</p>
      <p className="visually-hidden" role="status">
        {t("viewer.idle.body", { count: Math.ceil((seconds ?? 0) / 15) * 15 })}
      </p>
    </Dialog>
  );
}

interface LeaveDialogProps {
  readonly isOpen: boolean;
  readonly onStay: () => void;
  readonly onDisconnect: () => void;
  readonly onLogOff: () => void;
}

export function LeaveDialog({ isOpen, onStay, onDisconnect, onLogOff }: LeaveDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onStay}
      title={t("viewer.leave.title")}
      testId="viewer-leave-dialog"
      actions={
        <Button kind="secondary" onPress={onStay} data-testid="viewer-stay">
          {t("viewer.leave.stay")}
        </Button>
      }
    >
      <div className="choice">
        <Button kind="primary" icon="plug" wide onPress={onDisconnect} data-testid="viewer-disconnect">
          {t("viewer.leave.disconnect")}
        </Button>
        <p>{t("viewer.leave.disconnectBody")}</p>
      </div>
      <div className="choice">
        <Button kind="danger" icon="leave" wide onPress={onLogOff} data-testid="viewer-logoff">
          {t("viewer.leave.logOff")}
        </Button>
        <p>{t("viewer.leave.logOffBody")}</p>
      </div>
    </Dialog>
  );
}

interface CurtainProps {
  readonly state: ViewerState;
  readonly onNow: () => void;
  readonly onLeave: () => void;
}

export function ReconnectCurtain({ state, onNow, onLeave }: CurtainProps) {
  const { t } = useTranslation();
  useSeconds(true);
  const { phase } = state;
  const waiting = phase.kind === "waiting" ? phase : null;
  const seconds = waiting === null ? 0 : Math.max(0, Math.ceil((waiting.retryAt - gatewayNow()) / 1_000));
  return (
    <div className="viewer-curtain" data-testid="viewer-reconnect">
      <div className="curtain-box">
        <div role="status">
          <p className="curtain-title">
            <Icon name="warning" size={24} />
            <strong>{t("viewer.reconnect.title")}</strong>
          </p>
          <p>{t(`viewer.reconnect.${waiting?.offline === true ? "offline" : waiting?.answered === true ? "answered" : "body"}`)}</p>
        </div>
        <p className="fine" aria-hidden="true">
          {waiting === null || seconds === 0
            ? t("viewer.reconnect.attempt", { count: waiting?.attempt ?? 1 })
            : t("viewer.reconnect.waiting", { seconds })}
        </p>
        <div className="curtain-actions">
          <Button kind="primary" onPress={onNow} data-testid="viewer-retry">
            {t("viewer.reconnect.now")}
          </Button>
          <Button kind="secondary" onPress={onLeave}>
            {t("viewer.tools.leave")}
          </Button>
        </div>
      </div>
    </div>
  );
}
