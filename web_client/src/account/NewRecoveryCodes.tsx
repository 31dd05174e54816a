/** Ten new recovery codes against a fresh code of the authenticator app; the old ones stop working. */
import { useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { account } from "../api/endpoints";
import { setCsrfToken } from "../api/http";
import type { LoginError } from "../api/types";
import { useIdentity } from "../app/identity";
import { pick } from "../i18n";
import { TotpField } from "../login/codeEntry";
import { tidyTotp } from "../login/codes";
import { Button, Notice } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { ErrorNotice, WaitHint } from "../ui/PageStates";
import { RecoveryCodes } from "../ui/RecoveryCodes";

export function NewRecoveryCodes() {
  const { t } = useTranslation();
  const { refresh } = useIdentity();
  const [asking, setAsking] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);

  const close = () => {
    setCodes(null);
    setAsking(false);
    void refresh();
  };
  return (
    <>
      <div>
        <Button kind="secondary" onPress={() => setAsking(true)} data-testid="new-codes-open">
          {t("account.codesNew")}
        </Button>
      </div>
      <Dialog
        isOpen={asking}
        onClose={close}
        title={t(codes === null ? "account.codesNew" : "recoveryCodes.title")}
        alert={codes !== null}
        testId="new-codes-dialog"
        actions={
          codes === null ? (
            <Button kind="quiet" onPress={close}>
              {t("common.cancel")}
            </Button>
          ) : (
            <Button kind="primary" onPress={close} data-testid="new-codes-close">
              {t("account.codesClose")}
            </Button>
          )
        }
      >
        {codes === null ? <Proof onCodes={setCodes} /> : <RecoveryCodes codes={codes} />}
      </Dialog>
    </>
  );
}

function Proof({ onCodes }: { readonly onCodes: (codes: readonly string[]) => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<LoginError | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const code = tidyTotp(typed);

  const send = async () => {
    setChecked(true);
    if (code === null || busy) {
      return;
    }
    setBusy(true);
    setRefused(null);
    setFailure(null);
    try {
      const answer = await account.newRecoveryCodes(code);
      setCsrfToken(answer.csrf_token);
      if (answer.recovery_codes === null) {
        setRefused(answer.error);
      } else {
        onCodes(answer.recovery_codes);
      }
    } catch (problem) {
      setFailure(problem);
    }
    setTyped("");
    setChecked(false);
    setBusy(false);
  };

  return (
    <Form
      className="step-form"
      validationBehavior="aria"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p>{t("account.codesNewBody")}</p>
      {refused === null ? null : (
        <Notice kind="error">
          <p>{pick(refused.text_ja, refused.text_en)}</p>
          <WaitHint seconds={refused.retry_after_seconds} />
        </Notice>
      )}
      {failure === null ? null : <ErrorNotice error={failure} />}
      <TotpField
        typed={typed}
        setTyped={setTyped}
        missing={checked && code === null}
        label={t("account.codesProof")}
        autoFocus
        testId="new-codes-code"
      />
      <Button type="submit" kind="primary" wide busy={busy} data-testid="new-codes-submit">
        {busy ? t("login.working") : t("account.codesMake")}
      </Button>
    </Form>
  );
}
