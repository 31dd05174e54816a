/** What both officials do: say how they made sure who it is, prove a fresh code, send. Refusals are shown in place. */
import { useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useFreshCode } from "../app/useFreshCode";
import { ChoiceGroup } from "../bcp/choices";
import { pick } from "../i18n";
import { Button, Notice } from "../ui/controls";
import { FreshCodeField } from "../ui/FreshCodeField";
import { ErrorNotice } from "../ui/PageStates";
import { CHECKS, type Check, type VouchStep } from "./endpoints";

interface CheckFormProps {
  readonly submit: string;
  readonly testId: string;
  /** Fields that come first; `ready` says whether they are filled in, and shows it when not. */
  readonly children?: ReactNode;
  readonly ready?: () => boolean;
  readonly act: (check: Check) => Promise<VouchStep>;
  readonly onDone: (step: VouchStep) => void;
}

export function CheckForm({ submit, testId, children, ready, act, onDone }: CheckFormProps) {
  const { t } = useTranslation("vouch");
  const code = useFreshCode();
  const [check, setCheck] = useState<Check | null>(null);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [step, setStep] = useState<VouchStep | null>(null);
  const [failure, setFailure] = useState<unknown>(null);

  const send = async () => {
    setTried(true);
    const complete = [ready?.() ?? true, check !== null, code.check()].every(Boolean);
    if (busy || !complete || check === null) {
      return;
    }
    setBusy(true);
    setFailure(null);
    setStep(null);
    try {
      if (await code.prove()) {
        const taken = await act(check);
        if (taken.error?.code === "totp_not_fresh") {
          code.forget();
        }
        setStep(taken);
        if (taken.error === null) {
          setCheck(null);
          setTried(false);
          onDone(taken);
        }
      }
    } catch (problem) {
      setFailure(problem);
    }
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
      {children}
      <ChoiceGroup
        name={`${testId}-check`}
        label={t("check.label")}
        choices={CHECKS.map((value) => ({ value, title: t(`check.${value}`), help: t(`check.${value}Help`) }))}
        value={check}
        onChange={(value) => setCheck(value as Check)}
        error={tried && check === null ? t("check.missing") : null}
      />
      <FreshCodeField code={code} testId={`${testId}-code`} />
      {failure === null ? null : <ErrorNotice error={failure} />}
      {step?.error == null ? null : (
        <Notice kind="error" testId={`${testId}-error`}>
          <p>{pick(step.error.text_ja, step.error.text_en)}</p>
        </Notice>
      )}
      <Button type="submit" kind="primary" wide busy={busy} data-testid={`${testId}-submit`}>
        {busy ? t("working") : submit}
      </Button>
    </Form>
  );
}
