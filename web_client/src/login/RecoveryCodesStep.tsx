/** Last step of the enrolment: shows the recovery codes, this once. */
import { useState, type ReactNode } from "react";
import { Checkbox } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import { Button, Notice } from "../ui/controls";
import { CheckMark } from "../ui/CheckMark";
import { RecoveryCodes } from "../ui/RecoveryCodes";
import type { StepProps } from "./LoginPage";
import { StepForm } from "./StepForm";

export function RecoveryCodesStep({ state, busy, submit, problem }: StepProps & { readonly problem: ReactNode }) {
  const { t } = useTranslation();
  const [confirmed, setConfirmed] = useState(false);
  const [checked, setChecked] = useState(false);
  const send = () => {
    setChecked(true);
    if (confirmed) {
      submit(() => login.finishEnrolment());
    }
  };
  return (
    <StepForm
      title={t("recoveryCodes.title")}
      lead={t("recoveryCodes.lead")}
      problem={problem}
      onSubmit={send}
      focusHeading
    >
      <RecoveryCodes codes={state.recovery_codes ?? []} />
      {checked && !confirmed ? (
        <Notice kind="error">
          <p>{t("recoveryCodes.mustConfirm")}</p>
        </Notice>
      ) : null}
      <Checkbox
        className="checkbox"
        isSelected={confirmed}
        onChange={setConfirmed}
        data-testid="recovery-codes-confirm"
      >
        <CheckMark />
        <span>{t("recoveryCodes.confirm")}</span>
      </Checkbox>
      <Button type="submit" kind="primary" wide busy={busy} data-testid="recovery-codes-done">
        {t("recoveryCodes.submit")}
      </Button>
    </StepForm>
  );
}
