/** A question before an act that one person may do at once: says what happens, sends it, shows a refusal in place. */
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button, type ButtonKind } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { ErrorNotice } from "../ui/PageStates";
import type { DeclarationView } from "./types";

interface AskDialogProps {
  readonly title: string;
  readonly confirm: string;
  readonly kind?: ButtonKind;
  readonly testId: string;
  readonly children: ReactNode;
  /** False keeps the dialog open: something is missing, and the body says what. */
  readonly check?: () => boolean;
  readonly act: () => Promise<DeclarationView>;
  readonly onDone: (declaration: DeclarationView) => void;
  readonly onClose: () => void;
}

export function AskDialog(props: AskDialogProps) {
  const { t } = useTranslation("bcp");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const send = async () => {
    if (busy || props.check?.() === false) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      props.onDone(await props.act());
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen
      onClose={props.onClose}
      title={props.title}
      alert
      testId={props.testId}
      actions={
        <>
          <Button kind="secondary" onPress={props.onClose}>
            {t("cancel")}
          </Button>
          <Button kind={props.kind ?? "primary"} onPress={() => void send()} busy={busy} data-testid={`${props.testId}-confirm`}>
            {busy ? t("act.working") : props.confirm}
          </Button>
        </>
      }
    >
      {props.children}
      {failure === null ? null : <ErrorNotice error={failure} />}
    </Dialog>
  );
}
