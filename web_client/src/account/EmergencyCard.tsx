/**
 * The emergency card: which one is in force, printing a new one, voiding it. The PDF lives in this page's memory and is
 * opened in a tab of its own, from which it is printed; its address is void when the dialog closes.
 */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { account } from "../api/endpoints";
import type { PrintedCard } from "../api/types";
import { dateTime } from "../app/format";
import { useIdentity } from "../app/identity";
import { useLoad } from "../app/useLoad";
import { Button, Notice } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { ErrorNotice, Loading } from "../ui/PageStates";
import { CodeProof } from "./CodeProof";
import { pdfBlob } from "./pdf";

type Asking = "print" | "void" | null;

export function EmergencyCard() {
  const { t } = useTranslation();
  const { refresh } = useIdentity();
  const { value, error, reload } = useLoad(account.emergencyCard);
  const [asking, setAsking] = useState<Asking>(null);
  const [voided, setVoided] = useState(false);
  const card = value?.card ?? null;

  const close = () => {
    setAsking(null);
    void reload();
    void refresh(); // the number of recovery codes changed
  };
  return (
    <section className="panel" aria-labelledby="card">
      <h2 id="card">{t("card.title")}</h2>
      <p>{t("card.lead")}</p>
      {voided ? (
        <Notice kind="success" testId="card-voided">
          <p>{t("card.voided")}</p>
        </Notice>
      ) : null}
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <ErrorNotice error={error} onRetry={reload} />
        )
      ) : card === null ? (
        <p data-testid="card-none">{t("card.none")}</p>
      ) : (
        <p data-testid="card-in-force">
          <strong>{t("card.inForce", { number: card.number, time: dateTime(card.issued_at) })}</strong>
        </p>
      )}
      <div className="panel-actions">
        <Button
          kind="secondary"
          icon="print"
          onPress={() => {
            setVoided(false);
            setAsking("print");
          }}
          data-testid="card-print"
        >
          {t(card === null ? "card.print" : "card.printAgain")}
        </Button>
        {card === null ? null : (
          <Button kind="quiet" onPress={() => setAsking("void")} data-testid="card-void">
            {t("card.void")}
          </Button>
        )}
      </div>
      {asking === "print" ? <PrintDialog onClose={close} /> : null}
      {asking === "void" ? (
        <VoidDialog
          onClose={() => setAsking(null)}
          onDone={() => {
            setVoided(true);
            close();
          }}
        />
      ) : null}
    </section>
  );
}

function PrintDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation();
  const [printed, setPrinted] = useState<PrintedCard | null>(null);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t(printed === null ? "card.print" : "card.ready")}
      alert
      testId="card-dialog"
      actions={
        <Button kind="secondary" onPress={onClose} data-testid="card-close">
          {t(printed === null ? "common.cancel" : "card.close")}
        </Button>
      }
    >
      {printed?.pdf == null ? (
        <>
          <ul className="rules">
            <li>{t("card.rule1")}</li>
            <li>{t("card.rule2")}</li>
            <li>{t("card.rule3")}</li>
          </ul>
          <CodeProof
            lead={t("card.proof")}
            submit={t("card.make")}
            testId="card"
            send={account.printEmergencyCard}
            onDone={setPrinted}
          />
        </>
      ) : (
        <Ready pdf={printed.pdf} number={printed.card?.number ?? ""} />
      )}
    </Dialog>
  );
}

function Ready({ pdf, number }: { readonly pdf: string; readonly number: string }) {
  const { t } = useTranslation();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(pdfBlob(pdf));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [pdf]);
  return (
    <>
      <p>{t("card.readyBody", { number })}</p>
      <ul className="rules">
        <li>{t("card.after1")}</li>
        <li>{t("card.after2")}</li>
      </ul>
      {url === null ? null : (
        <a className="button button-primary button-wide" href={url} target="_blank" rel="noopener" data-testid="card-open">
          <Icon name="print" />
          <span>{t("card.open")}</span>
        </a>
      )}
    </>
  );
}

function VoidDialog({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const send = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await account.voidEmergencyCard();
      onDone();
    } catch (problem) {
      setFailure(problem);
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("card.voidTitle")}
      alert
      testId="card-void-dialog"
      actions={
        <>
          <Button kind="secondary" onPress={onClose}>
            {t("common.cancel")}
          </Button>
          <Button kind="danger" busy={busy} onPress={() => void send()} data-testid="card-void-confirm">
            {t("card.void")}
          </Button>
        </>
      }
    >
      <p>{t("card.voidBody")}</p>
      {failure === null ? null : <ErrorNotice error={failure} />}
    </Dialog>
  );
}
