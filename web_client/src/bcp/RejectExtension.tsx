/** The way to turn a later end down, for the second person and for whoever proposed it. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../ui/controls";
import { useFlash } from "./flash";
import { RejectDialog } from "./RejectDialog";
import { useStatus } from "./status";
import type { DeclarationView } from "./types";

export function RejectExtension({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { reload } = useStatus();
  const { say } = useFlash();
  const [asking, setAsking] = useState(false);
  const waits = declaration.pending !== null && declaration.may.includes("reject");
  // The question stays open when the extension goes meanwhile: the answer to it says so.
  if (!waits && !asking) {
    return null;
  }
  return (
    <div className="bcp-actions">
      <Button kind="secondary" onPress={() => setAsking(true)} data-testid={`bcp-reject-extension-${declaration.id}`}>
        {t("act.rejectExtension")}
      </Button>
      {asking ? (
        <RejectDialog
          declaration={declaration}
          onDone={() => {
            setAsking(false);
            say(t("act.done.rejectExtension"));
            void reload();
          }}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </div>
  );
}
