/** How declarations and scopes are called on the page and aloud. Pure but for the current language. */
import i18next from "i18next";
import { pick } from "../i18n";
import type { DeclarationView, Named, ScopeKind, Scopes } from "./types";

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

export function listed(names: readonly string[]): string {
  return names.join(i18next.language === "en" ? ", " : "、");
}
