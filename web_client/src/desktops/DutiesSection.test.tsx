import i18next from "i18next";
import { renderToStaticMarkup } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { ja } from "../i18n/ja";
import { DutiesSection } from "./DutiesSection";
import { iconFor, placesToShow, reasonsToShow, type Duty, type DutyPlace, type DutyStatus } from "./duties";

const open: DutyPlace = { pool_id: "office", name_ja: "庁内", name_en: "Office", allowed: true, reason: null };
const shut: DutyPlace = {
  pool_id: "net",
  name_ja: "ネット",
  name_en: "Net",
  allowed: false,
  reason: { code: "outside_hours", text_ja: "時間外です。", text_en: "Out of hours.", available_from: null },
};

function duty(over: Partial<Duty> = {}): Duty {
  return {
    id: "pay",
    name_ja: "給与の支給",
    name_en: "Payroll",
    department_ja: "総務課",
    department_en: "General Affairs",
    zone: "lgwan",
    zone_ja: "LGWAN接続系",
    zone_en: "LGWAN",
    condition: "",
    priority: "P2",
    resume_ja: "1日",
    resume_en: "1 day",
    part: "main",
    part_ja: "担当者",
    part_en: "on the roster",
    status: "now",
    status_ja: "いま、この端末から行えます。",
    status_en: "You can do this from here now.",
    available_from: null,
    places: [open],
    ...over,
  };
}

const html = (...items: Duty[]) => renderToStaticMarkup(<DutiesSection items={items} />);

beforeAll(async () => {
  await i18next.use(initReactI18next).init({
    lng: "ja",
    resources: { ja: { translation: ja }, en: { translation: en } },
    interpolation: { escapeValue: false },
  });
});

describe("duties", () => {
  it("are left out when there are none", () => {
    expect(html()).toBe("");
  });

  it("say whether and where they can be done now", () => {
    const shown = html(duty({ places: [open, shut] }));
    expect(shown).toContain("担当業務");
    expect(shown).toContain("いま、この端末から行えます。");
    expect(shown).toContain("庁内");
    expect(shown).not.toContain("ネット");
    expect(shown).not.toContain("時間外です。");
    expect(shown).not.toContain("代替者");
  });

  it("say why not and from when", () => {
    const shown = html(duty({ status: "later", status_ja: "いまは行えません。", places: [shut, shut], available_from: "2026-11-24T23:30:00Z" }));
    expect(shown).toContain("8:30");
    expect(shown.match(/時間外です。/g)).toHaveLength(1);
    expect(shown).toContain("ネット");
  });

  it("show the condition with its lines, and the part of a substitute", () => {
    const shown = html(duty({ status: "conditional", condition: "個室で行う\n紙は持ち出さない", part: "substitute", part_ja: "代替者" }));
    expect(shown).toContain("個室で行う\n紙は持ち出さない");
    expect(shown).toContain("代替者");
    expect(html(duty({ status: "never", condition: "個室で行う" }))).not.toContain("個室");
  });

  it("show names as text", () => {
    expect(html(duty({ name_ja: "<img src=x onerror=alert(1)>" }))).not.toContain("<img");
  });

  it("are in English, too", async () => {
    await i18next.changeLanguage("en");
    try {
      const shown = html(duty({ status: "closed", status_en: "Not now.", places: [shut] }));
      expect(shown).toContain("Your duties");
      expect(shown).toContain("Payroll");
      expect(shown).toContain("Out of hours.");
      expect(shown).not.toMatch(/[ぁ-んァ-ヶ一-龠]/u);
    } finally {
      await i18next.changeLanguage("ja");
    }
  });

  it("have an icon for every status", () => {
    const all: DutyStatus[] = ["now", "conditional", "later", "closed", "no_place", "never"];
    expect(all.map(iconFor)).toEqual(["check", "info", "clock", "lock", "lock", "lock"]);
    expect(placesToShow(duty({ places: [] }))).toEqual([]);
    expect(reasonsToShow(duty({ status: "never", places: [shut] }))).toEqual([]);
  });
});
