/** Dates and lengths of time as people read them: Tokyo time, in the language shown. Pure but for the current language. */
import i18next from "i18next";
import { currentLanguage } from "../i18n";

const ZONE = "Asia/Tokyo";

function locale(): string {
  return currentLanguage() === "en" ? "en-GB" : "ja-JP";
}

/** "7月3日(金) 8:30" in one piece; with the year when it is another one. Empty for a time that cannot be read. */
export function dateTime(iso: string, now: number = Date.now()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) {
    return "";
  }
  const year = (value: Date | number) => new Intl.DateTimeFormat("en", { timeZone: ZONE, year: "numeric" }).format(value);
  const shown = new Intl.DateTimeFormat(locale(), {
    timeZone: ZONE,
    ...(year(date) === year(now) ? {} : { year: "numeric" as const }),
    month: currentLanguage() === "en" ? "short" : "long",
    day: "numeric",
    weekday: "short",
    hour: "numeric",
    minute: "2-digit",
    hour12: false,
  }).format(date);
  return shown.replaceAll(" ", "\u00a0").replace("月", "月\u2060").replace("(", "\u2060("); // no-break space, word joiner
}

/** "令和8年7月3日(金)", in English "Fri 3 Jul 2026", of a day without a time, such as "2026-07-03". */
export function day(iso: string): string {
  const english = currentLanguage() === "en";
  return new Intl.DateTimeFormat(english ? "en-GB" : "ja-JP-u-ca-japanese", {
    timeZone: ZONE,
    ...(english ? {} : { era: "long" as const }),
    year: "numeric",
    month: english ? "short" : "long",
    day: "numeric",
    weekday: "short",
  }).format(new Date(`${iso}T00:00:00+09:00`));
}

/** "8:30" in Tokyo time. Empty for a time that cannot be read. */
export function clockTime(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime())
    ? ""
    : new Intl.DateTimeFormat(locale(), { timeZone: ZONE, hour: "numeric", minute: "2-digit", hour12: false }).format(date);
}

/** "2026-07-03 08:30" in Tokyo time, the same in every language: for the watermark. */
export function stamp(time: number): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: ZONE,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(time);
  const get = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${get("year")}-${get("month")}-${get("day")} ${get("hour")}:${get("minute")}`;
}

/** "1時間20分"; under a minute in seconds. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return i18next.t("time.seconds", { count: whole });
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return i18next.t("time.minutes", { count: minutes });
  }
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return rest === 0 ? i18next.t("time.hours", { count: hours }) : i18next.t("time.hoursMinutes", { hours, minutes: rest });
}

/** "1分45秒": for what counts down while it is looked at. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 || whole % 60 === 0
    ? duration(whole)
    : i18next.t("time.minutesSeconds", { minutes: Math.floor(whole / 60), seconds: whole % 60 });
}

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}
