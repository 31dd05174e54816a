/** Short help beside the desktop itself; the user manual says more. */
import { useTranslation } from "react-i18next";

export function HelpPanel() {
  const { t } = useTranslation();
  return (
    <dl className="help-list">
      <dt>{t("viewer.help.escape")}</dt>
      <dd>{t("viewer.help.escapeBody", { keys: t("viewer.escapeKeys") })}</dd>
      <dt>{t("viewer.help.japanese")}</dt>
      <dd>{t("viewer.help.japaneseBody")}</dd>
      <dt>{t("viewer.help.substitute")}</dt>
      <dd>
        {t("viewer.help.substituteCad")}
        <br />
        {t("viewer.help.substituteWin")}
      </dd>
      <dt>{t("viewer.help.touch")}</dt>
      <dd>
        {t("viewer.help.touchTap")}
        <br />
        {t("viewer.help.touchDrag")}
        <br />
        {t("viewer.help.touchKeyboard")}
      </dd>
      <dt>{t("viewer.help.watermark")}</dt>
      <dd>{t("viewer.help.watermarkBody")}</dd>
    </dl>
  );
}
