/** Help under way for one person: how far it is, what the caller may do about it. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/http";
import { dateTime } from "../app/format";
import { useMe } from "../app/identity";
import { Button, Notice } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { ErrorNotice } from "../ui/PageStates";
import { CheckForm } from "./CheckForm";
import { vouches, type Vouch, type VouchStep } from "./endpoints";

interface ItemProps {
  readonly vouch: Vouch;
  readonly onConfirmed: (step: VouchStep) => void;
  readonly onEnded: (vouch: Vouch) => void;
}

export function VouchItem({ vouch, onConfirmed, onEnded }: ItemProps) {
  const { t } = useTranslation("vouch");
  const me = useMe();
  const [asking, setAsking] = useState<"confirm" | "end" | null>(null);
  const self = vouch.user_id === me.user.id;
  const first = vouch.opened_by === me.user.username;
  const rows: (readonly [string, string])[] = [
    [t("username"), vouch.username],
    [t("openedBy"), t("openedByTime", { person: vouch.opened_by, time: dateTime(vouch.opened_at) })],
    ...(vouch.confirmed_by === null ? [] : [[t("confirmedBy"), vouch.confirmed_by] as const]),
    [t("until"), dateTime(vouch.expires_at)],
  ];
  return (
    <li className="card" data-testid={`vouch-${vouch.username}`} data-state={vouch.state}>
      <article aria-labelledby={`name-${vouch.id}`}>
        <h3 id={`name-${vouch.id}`}>{vouch.display_name}</h3>
        <p>
          <strong>{t(`state.${vouch.state}`)}</strong>
        </p>
        <dl className="facts">
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {vouch.state === "open" && (self || first) ? <p className="fine">{t(self ? "self" : "own")}</p> : null}
        <div className="card-actions vouch-actions">
          {vouch.state === "open" && !self && !first ? (
            <Button kind="primary" onPress={() => setAsking("confirm")} data-testid={`vouch-confirm-${vouch.username}`}>
              {t("confirm.button")}
            </Button>
          ) : null}
          <Button kind="secondary" onPress={() => setAsking("end")} data-testid={`vouch-end-${vouch.username}`}>
            {t("end.button")}
          </Button>
        </div>
      </article>
      {asking === "confirm" ? (
        <ConfirmDialog
          vouch={vouch}
          onClose={() => setAsking(null)}
          onDone={(step) => {
            setAsking(null);
            onConfirmed(step);
          }}
        />
      ) : null}
      {asking === "end" ? (
        <EndDialog
          vouch={vouch}
          onClose={() => setAsking(null)}
          onDone={() => {
            setAsking(null);
            onEnded(vouch);
          }}
        />
      ) : null}
    </li>
  );
}

interface AskProps<Done> {
  readonly vouch: Vouch;
  readonly onClose: () => void;
  readonly onDone: Done;
}

function ConfirmDialog({ vouch, onClose, onDone }: AskProps<(step: VouchStep) => void>) {
  const { t } = useTranslation("vouch");
  return (
    <Dialog
      isOpen
      alert
      onClose={onClose}
      title={t("confirm.title", { name: vouch.display_name })}
      testId="vouch-confirm"
      actions={
        <Button kind="secondary" onPress={onClose}>
          {t("common.cancel", { ns: "translation" })}
        </Button>
      }
    >
      <p>{t("confirm.body", { person: vouch.opened_by })}</p>
      <CheckForm
        submit={t("confirm.submit")}
        testId="vouch-confirm"
        act={(check) => vouches.confirm(vouch.id, check)}
        onDone={onDone}
      />
    </Dialog>
  );
}

function EndDialog({ vouch, onClose, onDone }: AskProps<() => void>) {
  const { t } = useTranslation("vouch");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const end = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await vouches.end(vouch.id);
      onDone();
    } catch (problem) {
      setFailure(problem);
      setBusy(false);
    }
  };
  const gone = failure instanceof ApiError && failure.status === 404;
  return (
    <Dialog
      isOpen
      alert
      onClose={onClose}
      title={t("end.title")}
      testId="vouch-end"
      actions={
        <>
          <Button kind="secondary" onPress={onClose}>
            {t("common.cancel", { ns: "translation" })}
          </Button>
          <Button kind="danger" busy={busy} onPress={() => void end()} data-testid="vouch-end-submit">
            {t("end.submit")}
          </Button>
        </>
      }
    >
      <p>{t("end.body", { name: vouch.display_name })}</p>
      {failure === null ? null : gone ? (
        <Notice kind="error">
          <p>{t("end.gone")}</p>
        </Notice>
      ) : (
        <ErrorNotice error={failure} />
      )}
    </Dialog>
  );
}
