/** What the caller may do with a declaration that needs no second person, as buttons with their dialogs. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { navigate } from "../app/router";
import { Button } from "../ui/controls";
import { useFlash } from "./flash";
import { LiftDialog } from "./LiftDialog";
import { declarationName } from "./names";
import { NarrowDialog } from "./NarrowDialog";
import { mayExtend } from "./permission";
import { RejectDialog } from "./RejectDialog";
import { useStatus } from "./status";
import type { DeclarationView } from "./types";

export interface ActDialogProps {
  readonly declaration: DeclarationView;
  readonly onDone: (declaration: DeclarationView) => void;
  readonly onClose: () => void;
}

type Act = "lift" | "narrow" | "reject";

const DIALOGS = { lift: LiftDialog, narrow: NarrowDialog, reject: RejectDialog } as const;

interface ActionsProps {
  readonly declaration: DeclarationView;
  readonly onChanged?: (declaration: DeclarationView) => void;
}

export function Actions({ declaration, onChanged }: ActionsProps) {
  const { t } = useTranslation("bcp");
  const { reload } = useStatus();
  const { say } = useFlash();
  const [act, setAct] = useState<Act | null>(null);
  const { may, id } = declaration;
  const name = declarationName(declaration);
  const AskFor = act === null ? null : DIALOGS[act];

  const done = (which: Act, changed: DeclarationView) => {
    setAct(null);
    say(t(`act.done.${which}`));
    onChanged?.(changed);
    void reload();
  };
  if (!(["lift", "narrow", "reject"] as const).some((step) => may.includes(step))) {
    return null;
  }
  return (
    <div className="bcp-actions">
      {may.includes("narrow") ? (
        <Button
          kind="secondary"
          onPress={() => setAct("narrow")}
          aria-label={t("act.namedNarrow", { name })}
          data-testid={`bcp-narrow-${id}`}
        >
          {t("act.narrow")}
        </Button>
      ) : null}
      {mayExtend(declaration) ? (
        <Button
          kind="secondary"
          onPress={() => navigate({ page: "bcp", view: { kind: "extend", id } })}
          aria-label={t("act.namedExtend", { name })}
          data-testid={`bcp-extend-${id}`}
        >
          {t("act.extend")}
        </Button>
      ) : null}
      {may.includes("reject") && declaration.pending === null ? (
        <Button kind="secondary" onPress={() => setAct("reject")} data-testid={`bcp-reject-${id}`}>
          {t("act.reject")}
        </Button>
      ) : null}
      {may.includes("lift") ? (
        <Button
          kind="danger"
          onPress={() => setAct("lift")}
          aria-label={t(declaration.drill ? "act.namedEndDrill" : "act.namedLift", { name })}
          data-testid={`bcp-lift-${id}`}
        >
          {t(declaration.drill ? "act.endDrill" : "act.lift")}
        </Button>
      ) : null}
      {AskFor === null || act === null ? null : (
        <AskFor declaration={declaration} onDone={(changed) => done(act, changed)} onClose={() => setAct(null)} />
      )}
    </div>
  );
}
