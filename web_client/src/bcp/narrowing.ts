/** Pure: what a person wants to make narrower, whether it is narrower, and the request it becomes. */
import { fromTokyoField } from "./tokyoTime";
import type { DeclarationView, Level, Narrowing, ScopeKind } from "./types";

export type How = "ends" | "level" | "scope" | "block";

export interface NarrowDraft {
  readonly how: How;
  readonly until: string;
  readonly level: Level | null;
  readonly kind: ScopeKind | null;
  readonly ids: readonly string[];
  readonly block: string;
}

export type NarrowProblem = "endsMust" | "scopeMust" | "blockMust" | "levelMust";

/** Levels below the present one. Alert and recovery widen nothing, so there is nothing below them. */
export function lowerLevels(level: Level): readonly Level[] {
  return level === "second" ? ["first", "recovery"] : level === "first" ? ["recovery"] : [];
}

/** Ways that make sense for this declaration. */
export function ways(declaration: DeclarationView): readonly How[] {
  const all: How[] = ["ends"];
  if (lowerLevels(declaration.level).length > 0 && !declaration.drill) {
    all.push("level");
  }
  if (declaration.scope.kind === "tenant" || declaration.scope.ids.length > 1) {
    all.push("scope");
  }
  return [...all, "block"];
}

/** User names out of what was typed: one a line, or separated by any comma or blank. */
export function typedNames(typed: string): readonly string[] {
  const names = typed.normalize("NFKC").split(/[\s,、;]+/u);
  return [...new Set(names.filter((name) => name !== ""))];
}

/** The request, or what keeps it from being one. */
export function narrowingOf(draft: NarrowDraft, declaration: DeclarationView, now: number): Narrowing | NarrowProblem {
  switch (draft.how) {
    case "ends": {
      const end = fromTokyoField(draft.until);
      return end === null || end <= now || end >= Date.parse(declaration.ends_at)
        ? "endsMust"
        : { ends_at: new Date(end).toISOString() };
    }
    case "level":
      return draft.level === null ? "levelMust" : { level: draft.level };
    case "scope":
      return scopeNarrowing(draft, declaration);
    case "block": {
      const names = typedNames(draft.block);
      return names.length === 0 ? "blockMust" : { block: names };
    }
  }
}

function scopeNarrowing(draft: NarrowDraft, declaration: DeclarationView): Narrowing | NarrowProblem {
  const { kind, ids } = declaration.scope;
  const chosen = kind === "tenant" ? draft.kind : kind;
  const kept = kind === "tenant" ? draft.ids : draft.ids.filter((id) => ids.includes(id));
  const enough = chosen !== null && chosen !== "tenant" && kept.length > 0 && (kind === "tenant" || kept.length < ids.length);
  return enough ? { scope: { kind: chosen, ids: [...kept].sort() } } : "scopeMust";
}
