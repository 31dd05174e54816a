/**
 * The log-in, one step at a time. Counterpart: the gateway's login flow, which alone decides what the next step is;
 * this page only shows the step it is told.
 */
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import type { LoginState } from "../api/types";
import { useIdentity, type LoginNotice } from "../app/identity";
import { usePublicNotice } from "../app/useNotice";
import { pick } from "../i18n";
import { Button, Notice } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { LanguageButton } from "../ui/LanguageButton";
import { Logo } from "../ui/Logo";
import { PublicBanner } from "../ui/NoticeBanners";
import { ErrorNotice, Loading, WaitHint } from "../ui/PageStates";
import { SkipLink } from "../ui/Shell";
import { ChangePasswordStep } from "./ChangePasswordStep";
import { EnrolStep } from "./EnrolStep";
import { PasswordStep } from "./PasswordStep";
import { RecoveryCodesStep } from "./RecoveryCodesStep";
import { TotpStep } from "./TotpStep";

export interface StepProps {
  readonly state: LoginState;
  readonly busy: boolean;
  /** Sends something and shows the step that comes back. */
  readonly submit: (call: () => Promise<LoginState>) => void;
}

export function LoginPage({ notice }: { readonly notice: LoginNotice }) {
  const { t } = useTranslation();
  const { refresh } = useIdentity();
  const [state, setState] = useState<LoginState | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [touched, setTouched] = useState(false);
  const bcpNotice = usePublicNotice(30_000);
  const step = useRef<HTMLDivElement>(null);

  // After a refusal the field to fill in again has the focus; the reason is said as an alert.
  useEffect(() => {
    if (!busy && touched && (failure !== null || (state !== null && state.error !== null))) {
      [...(step.current?.querySelectorAll("input") ?? [])].find((input) => input.value === "")?.focus();
    }
  }, [busy, touched, failure, state]);

  const submit = useCallback(
    (call: () => Promise<LoginState>) => {
      setBusy(true);
      setTouched(true);
      setFailure(null);
      call()
        .then(async (next) => {
          if (next.step === "done" && next.error === null) {
            await refresh();
          }
          setState(next);
        })
        .catch((error: unknown) => setFailure(error))
        .finally(() => setBusy(false));
    },
    [refresh],
  );

  const load = useCallback(() => {
    setFailure(null);
    login
      .state()
      .then(setState)
      .catch((error: unknown) => setFailure(error));
  }, []);
  useEffect(load, [load]);

  const restart = () =>
    submit(async () => {
      await login.restart();
      return login.state();
    });

  return (
    <LoginFrame wide={state?.step === "enrol" || state?.step === "recovery_codes"}>
      <PublicBanner notice={bcpNotice} />
      {notice !== null && !touched ? (
        <Notice kind={notice === "loggedOut" ? "success" : "info"} testId="login-notice">
          <p>{t(`login.notices.${notice}`)}</p>
        </Notice>
      ) : null}
      {state === null ? (
        <>
          <h1>{t("login.title")}</h1>
          {failure === null ? <Loading /> : <ErrorNotice error={failure} onRetry={load} />}
        </>
      ) : (
        <>
          <div ref={step}>
            <Step state={state} busy={busy} submit={submit} failure={failure} />
          </div>
          {state.step === "password" || state.step === "done" ? (
            <p className="fine login-help">{t("login.help")}</p>
          ) : state.step === "recovery_codes" ? null : (
            <p className="login-restart">
              <Button kind="quiet" icon="chevronLeft" onPress={restart} isDisabled={busy} data-testid="login-restart">
                {t("login.restart")}
              </Button>
            </p>
          )}
        </>
      )}
    </LoginFrame>
  );
}

function Step(props: StepProps & { readonly failure: unknown }) {
  const { state, failure } = props;
  const problem =
    failure === null ? state.error === null ? null : <StepError state={state} /> : <ErrorNotice error={failure} />;
  // The key makes each step a fresh form: nothing typed in one step is left over in the next.
  switch (state.step) {
    case "password":
      return <PasswordStep key="password" {...props} problem={problem} />;
    case "totp":
      return <TotpStep key="totp" {...props} problem={problem} />;
    case "enrol":
      return <EnrolStep key="enrol" {...props} problem={problem} />;
    case "recovery_codes":
      return <RecoveryCodesStep key="codes" {...props} problem={problem} />;
    case "change_password":
      return <ChangePasswordStep key="change" {...props} problem={problem} />;
    case "done":
      return problem ?? <Loading />;
  }
}

function StepError({ state }: { readonly state: LoginState }) {
  if (state.error === null) {
    return null;
  }
  return (
    <Notice kind="error" testId="login-error">
      <p>{pick(state.error.text_ja, state.error.text_en)}</p>
      <WaitHint seconds={state.error.retry_after_seconds} />
    </Notice>
  );
}

function LoginFrame({ children, wide }: { readonly children: ReactNode; readonly wide: boolean }) {
  const { t } = useTranslation();
  return (
    <div className={`login${wide ? " login-wide" : ""}`}>
      <SkipLink />
      <header className="login-header">
        <div className="brand">
          <Logo size={40} />
          <div>
            <p className="brand-name">{t("common.product")}</p>
            <p className="brand-tenant">{t("common.tagline")}</p>
          </div>
        </div>
        <LanguageButton />
      </header>
      <div className="login-columns">
        <main id="main" className="login-card" tabIndex={-1}>
          {children}
        </main>
        <aside className="login-promise" aria-labelledby="promise">
          <h2 id="promise">{t("login.promiseTitle")}</h2>
          <ul>
            <li>
              <Icon name="desktop" size={24} />
              <span>{t("login.promise1")}</span>
            </li>
            <li>
              <Icon name="shield" size={24} />
              <span>{t("login.promise2")}</span>
            </li>
            <li>
              <Icon name="link" size={24} />
              <span>{t("login.promise3")}</span>
            </li>
          </ul>
        </aside>
      </div>
    </div>
  );
}
