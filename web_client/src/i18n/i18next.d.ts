import "i18next";
import type { ja as bcp } from "../bcp/texts/ja";
import type { ja as vouch } from "../vouch/texts/ja";
import type { ja } from "./ja";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof ja; bcp: typeof bcp; vouch: typeof vouch };
  }
}
