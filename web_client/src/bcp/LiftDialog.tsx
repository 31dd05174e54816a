/** Ends a declaration or a drill: one person, at once. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { AskDialog } from "./AskDialog";
import { Area } from "./choices";
import { bcp } from "./endpoints";
import { levelName, scopeName } from "./names";
import type { ActDialogProps } from "./Actions";

export function LiftDialog({ declaration, onDone, onClose }: ActDialogProps) {
  const { t } = useTranslation("bcp");
  const [note, setNote] = useState("");
  const { drill } = declaration;
  return (
    <AskDialog
      title={t(drill ? "lift.drillTitle" : "lift.title")}
      confirm={t(drill ? "lift.drillConfirm" : "lift.confirm")}
      kind="danger"
      testId="bcp-lift"
      act={() => bcp.lift(declaration.id, note.trim())}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        <strong>{t("lift.what", { scope: scopeName(declaration), level: levelName(declaration) })}</strong>
      </p>
      <ul className="rules">
        <li>{t("lift.point1")}</li>
        <li>{t("lift.point2")}</li>
        <li>{t("lift.point3")}</li>
      </ul>
      <Area
        id="lift-note"
        label={`${t("lift.note")}${t("optional")}`}
        value={note}
        onChange={setNote}
        testId="bcp-lift-note"
        rows={2}
      />
    </AskDialog>
  );
}
