/** A signature under a version of a plan: a fresh one-time code, then the act. */
import { useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { useFreshCode, wantsFreshCode } from "../../app/useFreshCode";
import { Button } from "../../ui/controls";
import { FreshCodeField } from "../../ui/FreshCodeField";
import { ErrorNotice } from "../../ui/PageStates";
import { useStatus } from "../status";
import type { PlanVersion } from "./types";

interface SignPlanProps {
  readonly heading: string;
  readonly label: string;
  readonly working: string;
  readonly testId: string;
  readonly children?: ReactNode;
  /** Whether everything is there; shows what is missing. */
  readonly ready: () => boolean;
  readonly disabled?: boolean;
  readonly act: () => Promise<PlanVersion>;
  readonly onDone: (version: PlanVersion) => void;
}

export function SignPlan(props: SignPlanProps) {
  const { heading, label, working, testId, children, ready, disabled = false, act, onDone } = props;
  const { quietly } = useStatus();
  const code = useFreshCode();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);

  const send = async () => {
    const complete = [ready(), code.check()].every(Boolean);
    if (busy || disabled || !complete) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      const version = await quietly(async () => ((await code.prove()) ? act() : null));
      if (version !== null) {
        onDone(version);
        return;
      }
    } catch (error) {
      if (wantsFreshCode(error)) {
        code.forget();
      }
      setFailure(error);
    }
    setBusy(false);
  };

  return (
    <Form
      className="sign"
      validationBehavior="aria"
      aria-labelledby={`${testId}-heading`}
      data-testid={testId}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h2 id={`${testId}-heading`}>{heading}</h2>
      {children}
      <FreshCodeField code={code} testId={`${testId}-code`} />
      {failure === null ? null : <ErrorNotice error={failure} />}
      <Button type="submit" kind="primary" wide busy={busy} isDisabled={disabled} data-testid={`${testId}-submit`}>
        {busy ? working : label}
      </Button>
    </Form>
  );
}
