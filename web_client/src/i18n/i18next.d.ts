import "i18next";
import type { ja as bcp } from "../bcp/texts/ja";
import type { ja as plans } from "../bcp/plans/texts/ja";
import type { ja as vouch } from "../vouch/texts/ja";
import type { ja } from "./ja";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof ja; bcp: typeof bcp; plans: typeof plans; vouch: typeof vouch };
  }
}
