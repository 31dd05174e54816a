/** Switches between Japanese and English; the choice lives as long as the page. */
import { useTranslation } from "react-i18next";
import { Button as AriaButton } from "react-aria-components";
import { currentLanguage, switchLanguage } from "../i18n";
import { Icon } from "./Icon";

export function LanguageButton() {
  const { t } = useTranslation();
  const other = currentLanguage() === "ja" ? "en" : "ja";
  return (
    <AriaButton
      className="button button-quiet"
      onPress={() => void switchLanguage(other)}
      data-testid="language"
    >
      <Icon name="language" />
      <span lang={other}>{t("common.otherLanguage")}</span>
    </AriaButton>
  );
}
