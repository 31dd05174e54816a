/** First log-in: link an authenticator app by QR code or typed key, proved by one code. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { login } from "../api/endpoints";
import type { Enrolment } from "../api/types";
import { Button, Notice } from "../ui/controls";
import { ErrorNotice, Loading } from "../ui/PageStates";
import { TotpField, useCodeEntry } from "./codeEntry";
import { groupSecret, svgImage, tidyTotp } from "./codes";
import type { StepProps } from "./LoginPage";
import { StepForm } from "./StepForm";

export function EnrolStep({ state, busy, submit, problem }: StepProps & { readonly problem: ReactNode }) {
  const { t } = useTranslation();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const entry = useCodeEntry(tidyTotp, submit, (code) => login.confirmEnrolment(code));
  const started = useRef(false);

  const begin = () => {
    setFailure(null);
    login
      .startEnrolment()
      .then(setEnrolment)
      .catch((error: unknown) => setFailure(error));
  };
  useEffect(() => {
    // Once: a second call would make a second secret while the person scans the first.
    if (!started.current) {
      started.current = true;
      begin();
    }
  }, []);

  return (
    <StepForm title={t("enrol.title")} lead={t("enrol.lead")} problem={null} onSubmit={entry.send} focusHeading>
      {state.display_name ? <p className="hello">{t("login.hello", { name: state.display_name })}</p> : null}
      {state.temporary_factor === true ? (
        <Notice kind="warning" live={false} testId="enrol-temporary">
          <p>{t("enrol.temporary")}</p>
        </Notice>
      ) : null}
      {enrolment === null ? (
        failure === null ? (
          <Loading />
        ) : (
          <ErrorNotice error={failure} onRetry={begin} />
        )
      ) : (
        <ol className="steps">
          <li>
            <h2>{t("enrol.step1")}</h2>
            <p>{t("enrol.step1Body")}</p>
          </li>
          <li>
            <h2>{t("enrol.step2")}</h2>
            <p>{t("enrol.step2Body")}</p>
            <div className="enrol-pair">
              <img className="qr" src={svgImage(enrolment.qr_svg)} alt={t("enrol.qrAlt")} width={200} height={200} />
              <div>
                <h3>{t("enrol.typed")}</h3>
                <p>{t("enrol.typedBody")}</p>
                <p className="secret-label" id="secret-label">
                  {t("enrol.secretLabel")}
                </p>
                <p className="secret" aria-labelledby="secret-label" role="group">
                  <code data-testid="enrol-secret">{groupSecret(enrolment.secret)}</code>
                </p>
              </div>
            </div>
          </li>
          <li>
            <h2>{t("enrol.step3")}</h2>
            <p>{t("enrol.step3Body")}</p>
            {problem}
            <TotpField {...entry} testId="enrol-code" />
            <Button type="submit" kind="primary" wide busy={busy} data-testid="enrol-submit">
              {busy ? t("login.working") : t("enrol.submit")}
            </Button>
          </li>
        </ol>
      )}
    </StepForm>
  );
}
