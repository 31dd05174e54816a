/** Turns a waiting proposal down, with words for the person who made it. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ActDialogProps } from "./Actions";
import { AskDialog } from "./AskDialog";
import { Area } from "./choices";
import { bcp } from "./endpoints";

export function RejectDialog({ declaration, onDone, onClose }: ActDialogProps) {
  const { t } = useTranslation("bcp");
  const [reason, setReason] = useState("");
  const [checked, setChecked] = useState(false);
  const missing = reason.trim() === "";
  return (
    <AskDialog
      title={t("reject.title")}
      confirm={t("reject.confirm")}
      kind="danger"
      testId="bcp-reject"
      check={() => {
        setChecked(true);
        return !missing;
      }}
      act={() => bcp.reject(declaration.id, reason.trim())}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{t("reject.what")}</p>
      <Area
        id="reject-reason"
        label={t("reject.reason")}
        value={reason}
        onChange={setReason}
        error={checked && missing ? t("reject.missing") : null}
        testId="bcp-reject-reason"
        rows={2}
      />
    </AskDialog>
  );
}
