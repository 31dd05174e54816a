import { describe, expect, it } from "vitest";
import { preferredLanguage } from ".";
import { en as plansEn } from "../bcp/plans/texts/en";
import { ja as plansJa } from "../bcp/plans/texts/ja";
import { en as bcpEn } from "../bcp/texts/en";
import { ja as bcpJa } from "../bcp/texts/ja";
import { en as vouchEn } from "../vouch/texts/en";
import { ja as vouchJa } from "../vouch/texts/ja";
import { en } from "./en";
import { ja } from "./ja";

function flat(value: object, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "string") {
      found.set(path + key, inner);
    } else {
      flat(inner as object, `${path}${key}.`).forEach((text, name) => found.set(name, text));
    }
  }
  return found;
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)(?:, number)?\}\}/g)].map((match) => match[1]).sort();

describe.each([
  ["of all pages", ja, en],
  ["of the BCP console", bcpJa, bcpEn],
  ["of officials who vouch", vouchJa, vouchEn],
  ["of BCP plans", plansJa, plansEn],
])("texts %s", (_name, jaTexts, enTexts) => {
  const japanese = flat(jaTexts);
  const english = flat(enTexts);

  it("exist in both languages with the same placeholders", () => {
    expect([...english.keys()].sort()).toEqual([...japanese.keys()].sort());
    for (const [key, text] of japanese) {
      expect(placeholders(english.get(key) ?? ""), key).toEqual(placeholders(text));
    }
  });
  it("write Japanese with full-width brackets and without the full-width comma of technical papers", () => {
    for (const [key, text] of japanese) {
      expect(text.replace(/\{\{.*?\}\}/g, "").replace(/\d,\d/g, ""), key).not.toMatch(/[(),，．]|[ぁ-んァ-ヶ一-龠]\(/u);
    }
  });
});

describe("preferredLanguage", () => {
  it("is Japanese unless English comes first", () => {
    expect(preferredLanguage(["ja-JP", "en"])).toBe("ja");
    expect(preferredLanguage(["en-GB", "ja"])).toBe("en");
    expect(preferredLanguage(["fr", "en-US"])).toBe("en");
    expect(preferredLanguage(["pt-BR"])).toBe("ja");
    expect(preferredLanguage([])).toBe("ja");
  });
});
