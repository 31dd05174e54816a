/** How the form calls the field that a fault is about, out of its path in the plan's file. Pure but for the language. */
import i18next from "i18next";

/** The first that the path begins with, behind the plan or its line. */
const FIELDS = [
  ["id", "form.lineId"],
  ["name", "form.lineName"],
  ["who", "words.who"],
  ["approval", "form.approval"],
  ["places", "form.place"],
  ["devices", "form.device"],
  ["hours.windows", "form.windows"],
  ["hours.days", "form.days"],
  ["days_a_week", "form.daysAWeek"],
  ["targets.zones", "form.zones"],
  ["targets", "words.targets"],
  ["terms.total_limit", "form.total"],
  ["terms.idle_limit", "form.idle"],
  ["terms.clipboard_in_chars", "form.clipIn"],
] as const;
const BASICS = [
  ["id", "words.id"],
  ["name", "words.plan"],
  ["contact", "words.contact"],
  ["texts.allowed", "words.allowed"],
  ["texts.forbidden", "words.forbidden"],
  ["grace", "form.grace"],
] as const;
const PATH = /^plans\[0\]\.(?:(first|second)\[\d+\]\.)?(.+?)(?:\.(ja|en))?$/;

/** Null for what has no field of its own, such as the plan as a whole. */
export function fieldOf(path: string): string | null {
  const [, line, place = "", language] = PATH.exec(path) ?? [];
  const known = line === undefined ? BASICS : FIELDS;
  const key = known.find(([name]) => place === name || place.startsWith(`${name}.`) || place.startsWith(`${name}[`))?.[1];
  if (key === undefined) {
    return null;
  }
  const t = i18next.getFixedT(null, "plans");
  const label = t(key);
  return language === "ja" || language === "en" ? t("form.inLanguage", { label, language: t(`form.${language}`) }) : label;
}
