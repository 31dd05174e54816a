/** Second factor: the app's six digits, or one recovery code when the phone is not at hand. */
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import { Button, TextField } from "../ui/controls";
import { TotpField, useCodeEntry } from "./codeEntry";
import { tidyRecovery, tidyTotp } from "./codes";
import type { StepProps } from "./LoginPage";
import { StepForm } from "./StepForm";

export function TotpStep(props: StepProps & { readonly problem: ReactNode }) {
  const [recovery, setRecovery] = useState(false);
  // What was wrong with a code of the one kind says nothing about the other.
  const [fresh, setFresh] = useState(false);
  const form: FormProps = {
    ...props,
    problem: fresh || props.busy ? null : props.problem,
    submit: (call) => {
      setFresh(false);
      props.submit(call);
    },
    onSwitch: () => {
      setFresh(true);
      setRecovery(!recovery);
    },
  };
  return recovery ? <RecoveryForm key="recovery" {...form} /> : <TotpForm key="totp" {...form} />;
}

type FormProps = StepProps & { readonly problem: ReactNode; readonly onSwitch: () => void };

function TotpForm({ state, busy, submit, problem, onSwitch }: FormProps) {
  const { t } = useTranslation();
  const entry = useCodeEntry(tidyTotp, submit, (code) => login.totp(code));
  return (
    <StepForm title={t("totp.title")} lead={t("totp.lead")} problem={problem} onSubmit={entry.send}>
      {state.display_name ? <p className="hello">{t("login.hello", { name: state.display_name })}</p> : null}
      <TotpField {...entry} autoFocus testId="totp-code" />
      <Button type="submit" kind="primary" wide busy={busy} data-testid="totp-submit">
        {busy ? t("login.working") : t("totp.submit")}
      </Button>
      <Button kind="quiet" onPress={onSwitch} data-testid="totp-use-recovery">
        {t("totp.useRecovery")}
      </Button>
    </StepForm>
  );
}

function RecoveryForm({ busy, submit, problem, onSwitch }: FormProps) {
  const { t } = useTranslation();
  const entry = useCodeEntry(tidyRecovery, submit, (code) => login.recovery(code));
  return (
    <StepForm title={t("recovery.title")} lead={t("recovery.lead")} problem={problem} onSubmit={entry.send}>
      <TextField
        name="recovery"
        label={t("recovery.label")}
        help={t("recovery.lost")}
        value={entry.typed}
        onChange={entry.setTyped}
        autoComplete="off"
        maxLength={64}
        className="field-code"
        error={entry.missing ? t("recovery.missing") : null}
        autoFocus
        testId="recovery-code"
      />
      <Button type="submit" kind="primary" wide busy={busy} data-testid="recovery-submit">
        {busy ? t("login.working") : t("totp.submit")}
      </Button>
      <Button kind="quiet" onPress={onSwitch} data-testid="recovery-use-totp">
        {t("totp.useTotp")}
      </Button>
    </StepForm>
  );
}
