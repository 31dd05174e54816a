/** How declarations and scopes are called on the page and aloud. Pure but for the current language. */
import i18next from "i18next";
import { pick } from "../i18n";
import type { DeclarationView, Injects, Named, ScopeKind, Scopes } from "./types";

/** "【訓練】発動（第1次） 東支所" */
export function declarationName(declaration: DeclarationView): string {
  return `${drillMark(declaration.drill)}${levelName(declaration)} ${scopeName(declaration)}`.trim();
}

export function drillMark(drill: boolean): string {
  return drill ? i18next.t("drillMark", { ns: "bcp" }) : "";
}

export function levelName(declaration: DeclarationView): string {
  return pick(declaration.level_ja, declaration.level_en);
}

export function scopeName(declaration: DeclarationView): string {
  return pick(declaration.scope.text_ja, declaration.scope.text_en);
}

/** What a kind of scope offers to choose from. */
export function choicesOf(kind: ScopeKind, scopes: Scopes): readonly Named[] {
  switch (kind) {
    case "tenant":
      return [];
    case "site":
      return scopes.sites;
    case "department":
      return scopes.departments;
    case "duty":
      return scopes.duties;
  }
}

/** What a drill pretends, in words; `sites` names those of the register. Null where it pretends nothing. */
export function pretendedWords(injects: Injects | null, sites: readonly Named[]): string | null {
  const t = i18next.getFixedT(null, "bcp");
  const down = (injects?.sites_down ?? []).map((id) => sites.find((site) => site.id === id));
  const names = listed(down.flatMap((site) => (site === undefined ? [] : [pick(site.name_ja, site.name_en)])));
  const said =
    injects === null
      ? []
      : [
          injects.absent_percent > 0 ? t("drill.said.absent", { percent: injects.absent_percent }) : "",
          injects.directory_off ? t("drill.said.directoryOff") : "",
          injects.half_capacity ? t("drill.said.halfCapacity") : "",
          names === "" ? "" : t("drill.said.sites", { names }),
        ].filter((words) => words !== "");
  return said.length === 0 ? null : listed(said);
}

export function listed(names: readonly string[]): string {
  return names.join(i18next.language === "en" ? ", " : "、");
}
