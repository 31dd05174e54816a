import i18next from "i18next";
import { renderToStaticMarkup } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { ja } from "../i18n/ja";
import { arranged, owed, type StaffNotice } from "./endpoints";
import { NoticesSection } from "./NoticesSection";

function notice(over: Partial<StaffNotice> = {}): StaffNotice {
  return {
    id: "ntc_1",
    declaration_id: "dec_1",
    subject_ja: "発動（第1次）のお知らせ",
    subject_en: "Notice: level 1",
    lead_ja: "始めました。",
    lead_en: "It has begun.",
    rows: [["対象", "Scope", "全庁", "everybody"]],
    drill: false,
    at: "2026-07-03T03:00:00Z",
    wants_answer: true,
    read_at: null,
    ability: null,
    note: "",
    ...over,
  };
}

const html = (...items: StaffNotice[]) =>
  renderToStaticMarkup(<NoticesSection items={items} onChanged={() => Promise.resolve()} />);

beforeAll(async () => {
  await i18next.use(initReactI18next).init({
    lng: "ja",
    resources: { ja: { translation: ja }, en: { translation: en } },
    interpolation: { escapeValue: false },
  });
});

describe("notices", () => {
  it("ask for an answer, or only to be read, or for nothing", () => {
    expect(owed(notice())).toBe("answer");
    expect(owed(notice({ ability: "can", read_at: "2026-07-03T03:01:00Z" }))).toBeNull();
    expect(owed(notice({ wants_answer: false }))).toBe("read");
    expect(owed(notice({ wants_answer: false, read_at: "2026-07-03T03:01:00Z" }))).toBeNull();
  });

  it("stay open while an answer may change; of what is over only the newest that was not read", () => {
    const read_at = "2026-07-03T03:01:00Z";
    const asks = notice({ id: "a", ability: "can", read_at });
    const over = (id: string, at: string | null) => notice({ id, wants_answer: false, read_at: at });
    const { open, folded } = arranged([over("read", read_at), over("news", null), asks, over("older", null)]);
    expect(open.map((one) => one.id)).toEqual(["news", "a"]);
    expect(folded.map((one) => one.id)).toEqual(["read", "older"]);
    expect(html(asks, over("older", null), over("oldest", null))).toContain("未読 1件");
  });

  it("offer the three answers, and words only to those who cannot work as usual", () => {
    const asked = html(notice());
    for (const words of ["業務可", "一部可", "不可", "全庁"]) {
      expect(asked).toContain(words);
    }
    expect(asked).not.toContain("ひとこと");
    expect(html(notice({ ability: "partly" }))).toContain("ひとこと");
    expect(html(notice({ ability: "partly" }))).toContain('aria-pressed="true"');
  });

  it("are left out when there are none, and show what people wrote as text", () => {
    expect(html()).toBe("");
    expect(html(notice({ lead_ja: "<img src=x onerror=alert(1)>" }))).not.toContain("<img");
  });
});
