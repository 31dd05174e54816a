/** The field of `useFreshCode`: the code, or that one was proven just now, and why one was not accepted. */
import { useTranslation } from "react-i18next";
import type { FreshCode } from "../app/useFreshCode";
import { pick } from "../i18n";
import { Notice, TextField } from "./controls";
import { WaitHint } from "./PageStates";

export function FreshCodeField({ code, testId }: { readonly code: FreshCode; readonly testId: string }) {
  const { t } = useTranslation();
  return (
    <>
      {code.confirmed ? (
        <p role="status">{t("freshCode.confirmed")}</p>
      ) : (
        <TextField
          name="code"
          label={t("freshCode.label")}
          help={t("freshCode.help")}
          value={code.typed}
          onChange={code.setTyped}
          autoComplete="one-time-code"
          inputMode="numeric"
          maxLength={16}
          className="field-code"
          error={code.missing ? t("freshCode.missing") : null}
          testId={testId}
        />
      )}
      {code.refused === null ? null : (
        <Notice kind="error" testId={`${testId}-error`}>
          <p>{pick(code.refused.text_ja, code.refused.text_en)}</p>
          <WaitHint seconds={code.refused.retry_after_seconds} />
        </Notice>
      )}
    </>
  );
}
