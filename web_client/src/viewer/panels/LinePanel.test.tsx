import i18next from "i18next";
import { renderToStaticMarkup } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { en } from "../../i18n/en";
import { ja } from "../../i18n/ja";
import type { LineGrade } from "../lineQuality";
import { initialSettings } from "../settings";
import type { Viewer } from "../useViewer";
import { LinePanel } from "./LinePanel";

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: "ja", resources: { ja: { translation: ja }, en: { translation: en } } });
});

async function panel(grade: LineGrade, quality: "slow" | "standard", language: "ja" | "en"): Promise<string> {
  await i18next.changeLanguage(language);
  const viewer = { settings: initialSettings(quality) } as Viewer;
  return renderToStaticMarkup(<LinePanel viewer={viewer} line={{ grade, rttMs: grade === "unknown" ? null : 120, mbps: 3.25 }} />);
}

describe("LinePanel", () => {
  it("says of each line what to do", async () => {
    expect(await panel("good", "standard", "ja")).toContain("快適に使える状態です。");
    expect(await panel("fair", "standard", "ja")).toContain("動画や大きな画像は避けてください。");
    expect(await panel("poor", "standard", "ja")).toContain("有線でつないでください。");
    expect(await panel("good", "standard", "en")).toContain(en.viewer.line.goodAdvice);
    expect(await panel("fair", "standard", "en")).toContain(en.viewer.line.fairAdvice);
    expect(await panel("poor", "standard", "en")).toContain(en.viewer.line.poorAdvice);
  });
  it("offers the picture for slow lines to whom it may help and has not got it", async () => {
    const offered = async (grade: LineGrade, quality: "slow" | "standard") =>
      (await panel(grade, quality, "ja")).includes("line-use-slow");
    expect(await Promise.all((["fair", "poor"] as const).map((grade) => offered(grade, "standard")))).toEqual([true, true]);
    expect(await offered("good", "standard")).toBe(false);
    expect(await offered("poor", "slow")).toBe(false);
  });
});
