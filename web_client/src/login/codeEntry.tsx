/** Typing a code: what every form that asks for one shares. Nothing typed outlives its answer. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { TextField } from "../ui/controls";
import type { StepProps } from "./LoginPage";

export interface CodeEntry {
  readonly typed: string;
  readonly setTyped: (typed: string) => void;
  /** The person tried to go on, and what is typed cannot be a code. */
  readonly missing: boolean;
  readonly send: () => void;
}

/** A code of the login: tidied, sent once it can be one, emptied whatever came back. */
export function useCodeEntry(
  tidy: (typed: string) => string | null,
  submit: StepProps["submit"],
  prove: (code: string) => ReturnType<Parameters<StepProps["submit"]>[0]>,
): CodeEntry {
  const [typed, setTyped] = useState("");
  const [checked, setChecked] = useState(false);
  const code = tidy(typed);
  const send = () => {
    setChecked(true);
    if (code !== null) {
      submit(async () => {
        try {
          return await prove(code);
        } finally {
          setTyped("");
          setChecked(false);
        }
      });
    }
  };
  return { typed, setTyped, missing: checked && code === null, send };
}

interface TotpFieldProps extends Pick<CodeEntry, "typed" | "setTyped" | "missing"> {
  readonly label?: string;
  readonly autoFocus?: boolean;
  readonly testId: string;
}

/** The field for an authenticator's six digits. */
export function TotpField({ typed, setTyped, missing, label, autoFocus = false, testId }: TotpFieldProps) {
  const { t } = useTranslation();
  return (
    <TextField
      name="code"
      label={label ?? t("totp.label")}
      value={typed}
      onChange={setTyped}
      autoComplete="one-time-code"
      inputMode="numeric"
      maxLength={16}
      className="field-code"
      error={missing ? t("totp.missing") : null}
      autoFocus={autoFocus}
      testId={testId}
    />
  );
}
