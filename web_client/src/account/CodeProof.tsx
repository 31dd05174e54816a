/** A fresh code of the authenticator that goes with what it is asked for; the answer renews the log-in's token. */
import { useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { setCsrfToken } from "../api/http";
import type { LoginError, StepUp } from "../api/types";
import { pick } from "../i18n";
import { TotpField } from "../login/codeEntry";
import { tidyTotp } from "../login/codes";
import { Button, Notice } from "../ui/controls";
import { ErrorNotice, WaitHint } from "../ui/PageStates";

interface CodeProofProps<Answer extends StepUp> {
  readonly lead: string;
  readonly submit: string;
  readonly testId: string;
  readonly send: (code: string) => Promise<Answer>;
  readonly onDone: (answer: Answer) => void;
}

export function CodeProof<Answer extends StepUp>({ lead, submit, testId, send, onDone }: CodeProofProps<Answer>) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<LoginError | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const code = tidyTotp(typed);

  const prove = async () => {
    setChecked(true);
    if (code === null || busy) {
      return;
    }
    setBusy(true);
    setRefused(null);
    setFailure(null);
    try {
      const answer = await send(code);
      setCsrfToken(answer.csrf_token);
      if (answer.error === null) {
        onDone(answer);
        return;
      }
      setRefused(answer.error);
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
        void prove();
      }}
    >
      <p>{lead}</p>
      {refused === null ? null : (
        <Notice kind="error" testId={`${testId}-error`}>
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
        testId={`${testId}-code`}
      />
      <Button type="submit" kind="primary" wide busy={busy} data-testid={`${testId}-submit`}>
        {busy ? t("login.working") : submit}
      </Button>
    </Form>
  );
}
