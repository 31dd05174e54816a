import i18next from "i18next";
import { beforeAll, expect, it } from "vitest";
import { fieldOf } from "./fieldOf";
import { en } from "./texts/en";
import { ja } from "./texts/ja";

beforeAll(async () => {
  await i18next.init({ lng: "ja", resources: { ja: { plans: ja }, en: { plans: en } }, interpolation: { escapeValue: false } });
});

it("calls the field as the form does", async () => {
  expect(fieldOf("plans[0].second[2].name.ja")).toBe("項目の名前（日本語）");
  expect(fieldOf("plans[0].second[2].approval.en")).toBe("承認のしかた（英語）");
  expect(fieldOf("plans[0].first[0].who")).toBe("だれが");
  expect(fieldOf("plans[0].first[0].who.groups[1]")).toBe("だれが");
  expect(fieldOf("plans[0].first[0].targets.zones[0]")).toBe("接続系を限る（任意）");
  expect(fieldOf("plans[0].first[0].targets")).toBe("どのデスクトップに");
  expect(fieldOf("plans[0].name.ja")).toBe("計画の名前（日本語）");
  expect(fieldOf("plans[0].texts.allowed.en")).toBe("職員に伝える文（できること）（英語）");
  await i18next.changeLanguage("en");
  expect(fieldOf("plans[0].first[0].name.en")).toBe("Name of the line (English)");
});

it("has no word for what is no field", () => {
  expect(["plans[0]", "(file)", "plans[0].first", "plans[1].name", "plans[0].first[0].terms.quality"].map(fieldOf)).toEqual(
    Array<null>(5).fill(null),
  );
});
