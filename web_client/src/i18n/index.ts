/**
 * Language of the pages. Japanese unless the browser asks for English first; the choice lives in memory
 * for as long as the page is open, because nothing is stored on the endpoint.
 */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en";
import { ja } from "./ja";

export type Language = "ja" | "en";

/** Picks the first language of the browser's list that we have; everything else reads Japanese. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "ja" || base === "en") {
      return base;
    }
  }
  return "ja";
}

export function currentLanguage(): Language {
  return i18next.language === "en" ? "en" : "ja";
}

/** Text of a `*_ja` / `*_en` pair in the language shown now. */
export function pick(ja: string | null | undefined, en: string | null | undefined): string {
  return (currentLanguage() === "en" ? en : ja) ?? ja ?? en ?? "";
}

export async function switchLanguage(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function startI18n(wanted: readonly string[]): Promise<void> {
  const language = preferredLanguage(wanted);
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "ja",
    resources: { ja: { translation: ja }, en: { translation: en } },
    // React escapes by itself, and all texts are shown as text.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  document.documentElement.lang = language;
}
