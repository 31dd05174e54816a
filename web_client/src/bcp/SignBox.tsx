/**
 * The signature: a fresh one-time code, then the act itself. The code is asked for each time; only a second try on the
 * same page right after a refusal goes without, because an authenticator shows each code once.
 */
import { useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { ApiError, setCsrfToken } from "../api/http";
import type { LoginError } from "../api/types";
import { pick } from "../i18n";
import { tidyTotp } from "../login/codes";
import { Button, Notice, TextField } from "../ui/controls";
import { ErrorNotice, WaitHint } from "../ui/PageStates";
import { Tick } from "./choices";
import { bcp } from "./endpoints";
import { listed } from "./names";
import { higherOfficials } from "./permission";
import { useKnownStatus, useStatus } from "./status";
import type { DeclarationView } from "./types";

/** Well below the gateway's five minutes, so that a confirmed person is never sent back for another code in vain. */
const CONFIRMED_MS = 4 * 60_000;

interface SignBoxProps {
  readonly label: string;
  readonly effect: string;
  readonly danger?: boolean;
  /** What is to be signed is on the screen. */
  readonly ready: boolean;
  readonly sign: (absent: boolean) => Promise<DeclarationView>;
  readonly onSigned: (declaration: DeclarationView) => void;
}

export function SignBox({ label, effect, danger = false, ready, sign, onSigned }: SignBoxProps) {
  const { t } = useTranslation("bcp");
  const { quietly } = useStatus();
  const status = useKnownStatus();
  const [typed, setTyped] = useState("");
  const [checked, setChecked] = useState(false);
  const [absent, setAbsent] = useState(false);
  const [busy, setBusy] = useState(false);
  const [confirmedAt, setConfirmedAt] = useState<number | null>(null);
  const [refused, setRefused] = useState<LoginError | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const higher = higherOfficials(status.me.official, status.officials);
  const confirmed = confirmedAt !== null && performance.now() - confirmedAt < CONFIRMED_MS;
  const code = tidyTotp(typed);

  const stepUp = async (digits: string): Promise<boolean> => {
    const answer = await bcp.stepUp(digits);
    setCsrfToken(answer.csrf_token);
    setTyped("");
    setChecked(false);
    if (answer.error !== null) {
      setRefused(answer.error);
      return false;
    }
    setConfirmedAt(performance.now());
    return true;
  };

  const act = async (): Promise<DeclarationView | null> => {
    if (!confirmed && !(code !== null && (await stepUp(code)))) {
      return null;
    }
    try {
      return await sign(absent);
    } catch (error) {
      if (error instanceof ApiError && error.problem.refusal === "totp_not_fresh") {
        setConfirmedAt(null);
      }
      throw error;
    }
  };

  const send = async () => {
    setChecked(true);
    if (busy || !ready || (!confirmed && code === null)) {
      return;
    }
    setBusy(true);
    setRefused(null);
    setFailure(null);
    try {
      const declaration = await quietly(act);
      if (declaration !== null) {
        onSigned(declaration);
        return;
      }
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  return (
    <Form
      className={`sign${danger ? " sign-danger" : ""}`}
      validationBehavior="aria"
      aria-labelledby="sign-heading"
      data-testid="bcp-sign"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h2 id="sign-heading">{t("sign.heading")}</h2>
      {higher.length === 0 ? null : (
        <div>
          <Tick isSelected={absent} onChange={setAbsent} testId="bcp-absent">
            {t("sign.absent", { names: listed(higher.map((one) => pick(one.title_ja, one.title_en))) })}
          </Tick>
          <p className="fine">{t("sign.absentHelp")}</p>
        </div>
      )}
      {confirmed ? (
        <p role="status">{t("sign.confirmed")}</p>
      ) : (
        <TextField
          name="code"
          label={t("sign.code")}
          help={t("sign.codeHelp")}
          value={typed}
          onChange={setTyped}
          autoComplete="one-time-code"
          inputMode="numeric"
          maxLength={16}
          className="field-code"
          error={checked && code === null && refused === null ? t("sign.missing") : null}
          testId="bcp-code"
        />
      )}
      {refused === null ? null : (
        <Notice kind="error" testId="bcp-code-error">
          <p>{pick(refused.text_ja, refused.text_en)}</p>
          <WaitHint seconds={refused.retry_after_seconds} />
        </Notice>
      )}
      {failure === null ? null : <ErrorNotice error={failure} />}
      <p className="sign-effect">{ready ? effect : t("sign.waitDiff")}</p>
      <Button
        type="submit"
        kind={danger ? "danger" : "primary"}
        wide
        busy={busy}
        isDisabled={!ready}
        data-testid="bcp-sign-submit"
      >
        {busy ? t("sign.working") : label}
      </Button>
    </Form>
  );
}
