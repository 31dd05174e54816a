/** Password expired or to be changed: the directory takes the new one here, where its rules allow it. */
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import { Button, PasswordField } from "../ui/controls";
import type { StepProps } from "./LoginPage";
import { StepForm } from "./StepForm";

export function ChangePasswordStep({ busy, submit, problem }: StepProps & { readonly problem: ReactNode }) {
  const { t } = useTranslation();
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [checked, setChecked] = useState(false);
  const send = () => {
    setChecked(true);
    if (first !== "" && first === second) {
      submit(async () => {
        try {
          return await login.changePassword(first);
        } finally {
          setFirst("");
          setSecond("");
          setChecked(false);
        }
      });
    }
  };
  return (
    <StepForm title={t("changePassword.title")} lead={t("changePassword.lead")} problem={problem} onSubmit={send}>
      <PasswordField
        name="new-password"
        label={t("changePassword.new")}
        help={t("changePassword.rule")}
        value={first}
        onChange={setFirst}
        autoComplete="new-password"
        maxLength={1024}
        error={checked && first === "" ? t("changePassword.missing") : null}
        autoFocus
        testId="new-password"
      />
      <PasswordField
        name="repeat-password"
        label={t("changePassword.repeat")}
        value={second}
        onChange={setSecond}
        autoComplete="new-password"
        maxLength={1024}
        error={checked && first !== "" && first !== second ? t("changePassword.mismatch") : null}
        testId="repeat-password"
      />
      <Button type="submit" kind="primary" wide busy={busy} data-testid="change-password-submit">
        {busy ? t("login.working") : t("changePassword.submit")}
      </Button>
    </StepForm>
  );
}
