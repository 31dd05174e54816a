/** How reports are called on the page and aloud. Pure but for the current language. */
import i18next from "i18next";
import { pick } from "../../i18n";
import type { ReportHead } from "./types";

/** "発動（第1次） / 東支所"; the declaration's number when nothing else is known. */
export function reportName({ about, declaration_id }: ReportHead): string {
  if (about === null) {
    return declaration_id;
  }
  return `${pick(about.level_ja, about.level_en)} / ${pick(about.scope.text_ja, about.scope.text_en)}`;
}

export function madeBy(head: ReportHead): string {
  return head.automatic ? i18next.t("reports.automatic", { ns: "bcp" }) : head.made_by;
}
