/** Shows the recovery codes once. On purpose there is no copy button: they belong on paper, not into a file or a mail. */
import { useState, type ReactNode } from "react";
import { Checkbox } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import { Button, Notice } from "../ui/controls";
import { CheckMark } from "../ui/CheckMark";
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
      <ul className="rules">
        <li>{t("recoveryCodes.rule1")}</li>
        <li>{t("recoveryCodes.rule2")}</li>
        <li>{t("recoveryCodes.rule3")}</li>
      </ul>
      <section className="codes" aria-label={t("recoveryCodes.list")}>
        <p className="print-only print-title">{t("recoveryCodes.printTitle")}</p>
        <ol data-testid="recovery-codes">
          {(state.recovery_codes ?? []).map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <p className="print-only">{t("recoveryCodes.printNote")}</p>
      </section>
      <Button kind="secondary" icon="print" onPress={() => window.print()} data-testid="recovery-codes-print">
        {t("recoveryCodes.print")}
      </Button>
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
