/** Turns down what waits, a proposal or a later end, with words for the person who made it. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import type { ActDialogProps } from "./Actions";
import { AskDialog } from "./AskDialog";
import { Area } from "./choices";
import { bcp } from "./endpoints";

export function RejectDialog({ declaration, onDone, onClose }: ActDialogProps) {
  const { t } = useTranslation("bcp");
  const [reason, setReason] = useState("");
  const [checked, setChecked] = useState(false);
  // What was asked about stays what is turned down, whatever is proposed behind the dialog.
  const [pending] = useState(declaration.pending);
  const missing = reason.trim() === "";
  return (
    <AskDialog
      title={t(pending === null ? "reject.title" : "reject.extensionTitle")}
      confirm={t("reject.confirm")}
      kind="danger"
      testId="bcp-reject"
      check={() => {
        setChecked(true);
        return !missing;
      }}
      act={() => bcp.reject(declaration.id, reason.trim(), pending?.digest)}
      onDone={onDone}
      onClose={onClose}
    >
      {pending === null ? (
        <p>{t("reject.what")}</p>
      ) : (
        <>
          <p>
            <strong>{t("card.pending", { time: dateTime(pending.ends_at), person: pending.person })}</strong>
          </p>
          <p>{t("reject.extensionWhat", { time: dateTime(declaration.ends_at) })}</p>
        </>
      )}
      <Area
        id="reject-reason"
        label={t("reject.reason")}
        value={reason}
        onChange={setReason}
        error={checked && missing ? t(pending === null ? "reject.missing" : "reject.extensionMissing") : null}
        testId="bcp-reject-reason"
        rows={2}
      />
    </AskDialog>
  );
}
