import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { ja } from "../i18n/ja";
import { countdown, dateTime } from "./format";

const NOW = Date.parse("2026-07-01T00:00:00Z");
/** Where a line may end: at a space, and at the month and the weekday with nothing that joins them. */
const BREAKABLE = / |月[^\u2060]|[^\u2060]\(/;

beforeAll(async () => {
  await i18next.init({ lng: "ja", resources: { ja: { translation: ja }, en: { translation: en } } });
});

describe.each([
  ["ja", "7月3日(金) 8:30", "2分5秒"],
  ["en", "Fri 3 Jul, 8:30", "2 min 5 s"],
])("in %s", (language, moment, left) => {
  it("a moment and a length of time are read in one piece, with nothing to break a line at", async () => {
    await i18next.changeLanguage(language);
    const said = [dateTime("2026-07-02T23:30:00Z", NOW), countdown(125)];
    expect(said.map((text) => text.replaceAll("\u00a0", " ").replaceAll("\u2060", ""))).toEqual([moment, left]);
    for (const text of said) {
      expect(text).not.toMatch(BREAKABLE);
    }
  });
});
