/** The signature: a fresh one-time code, then the act itself. */
import { useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useFreshCode, wantsFreshCode } from "../app/useFreshCode";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { FreshCodeField } from "../ui/FreshCodeField";
import { ErrorNotice } from "../ui/PageStates";
import { Tick } from "./choices";
import { listed } from "./names";
import { higherOfficials } from "./permission";
import { useKnownStatus, useStatus } from "./status";
import type { DeclarationView } from "./types";

interface SignBoxProps {
  readonly label: string;
  readonly effect: string;
  readonly danger?: boolean;
  /** What is to be signed is on the screen. */
  readonly ready: boolean;
  readonly sign: (absent: boolean) => Promise<DeclarationView>;
  readonly onSigned: (declaration: DeclarationView) => void;
}

export function SignBox({ label, effect, danger = false, ready, sign, onSigned }: SignBoxProps) {
  const { t } = useTranslation("bcp");
  const { quietly } = useStatus();
  const status = useKnownStatus();
  const code = useFreshCode();
  const [absent, setAbsent] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const higher = higherOfficials(status.me.official, status.officials);

  const act = async (): Promise<DeclarationView | null> => {
    if (!(await code.prove())) {
      return null;
    }
    try {
      return await sign(absent);
    } catch (error) {
      if (wantsFreshCode(error)) {
        code.forget();
      }
      throw error;
    }
  };

  const send = async () => {
    if (!code.check() || busy || !ready) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      const declaration = await quietly(act);
      if (declaration !== null) {
        onSigned(declaration);
        return;
      }
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  return (
    <Form
      className={`sign${danger ? " sign-danger" : ""}`}
      validationBehavior="aria"
      aria-labelledby="sign-heading"
      data-testid="bcp-sign"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h2 id="sign-heading">{t("sign.heading")}</h2>
      {higher.length === 0 ? null : (
        <div>
          <Tick isSelected={absent} onChange={setAbsent} testId="bcp-absent">
            {t("sign.absent", { names: listed(higher.map((one) => pick(one.title_ja, one.title_en))) })}
          </Tick>
          <p className="fine">{t("sign.absentHelp")}</p>
        </div>
      )}
      <FreshCodeField code={code} testId="bcp-code" />
      {failure === null ? null : <ErrorNotice error={failure} />}
      <p className="sign-effect">{ready ? effect : t("sign.waitDiff")}</p>
      <Button
        type="submit"
        kind={danger ? "danger" : "primary"}
        wide
        busy={busy}
        isDisabled={!ready}
        data-testid="bcp-sign-submit"
      >
        {busy ? t("sign.working") : label}
      </Button>
    </Form>
  );
}
