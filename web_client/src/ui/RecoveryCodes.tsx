/** The list of recovery codes. On purpose without a copy button: they belong on paper, not into a file or a mail. */
import { useTranslation } from "react-i18next";
import { Button } from "./controls";

export function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <>
      <ul className="rules">
        <li>{t("recoveryCodes.rule1")}</li>
        <li>{t("recoveryCodes.rule2")}</li>
        <li>{t("recoveryCodes.rule3")}</li>
      </ul>
      <section className="codes" aria-label={t("recoveryCodes.list")}>
        <p className="print-only print-title">{t("recoveryCodes.printTitle")}</p>
        <ol data-testid="recovery-codes">
          {codes.map((code) => (
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
    </>
  );
}
