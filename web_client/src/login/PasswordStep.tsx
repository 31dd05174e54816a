/** First step: user name and password. Password managers and paste are welcome (WCAG 3.3.8). */
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import { Button, PasswordField, TextField } from "../ui/controls";
import type { StepProps } from "./LoginPage";
import { StepForm } from "./StepForm";

export function PasswordStep({ busy, submit, problem }: StepProps & { readonly problem: ReactNode }) {
  const { t } = useTranslation();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [checked, setChecked] = useState(false);
  const name = username.normalize("NFKC").trim();

  const send = () => {
    setChecked(true);
    if (name !== "" && password !== "") {
      submit(async () => {
        try {
          return await login.password(name, password);
        } finally {
          setPassword("");
          setChecked(false);
        }
      });
    }
  };

  return (
    <StepForm title={t("login.title")} lead={t("login.lead")} problem={problem} onSubmit={send}>
      <TextField
        name="username"
        label={t("login.username")}
        help={t("login.usernameHelp")}
        value={username}
        onChange={setUsername}
        autoComplete="username"
        maxLength={256}
        error={checked && name === "" ? t("login.usernameMissing") : null}
        autoFocus
        testId="login-username"
      />
      <PasswordField
        name="password"
        label={t("login.password")}
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        maxLength={1024}
        error={checked && password === "" ? t("login.passwordMissing") : null}
        testId="login-password"
      />
      <Button type="submit" kind="primary" wide busy={busy} data-testid="login-submit">
        {busy ? t("login.working") : t("login.submit")}
      </Button>
    </StepForm>
  );
}
