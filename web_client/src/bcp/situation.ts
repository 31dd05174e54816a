/** Pure: which level holds where, and what changed since the last look. */
import { isOver } from "./countdown";
import type { BcpStatus, DeclarationView, Level, ScopeKind } from "./types";

export type ShownLevel = Level | "normal";

const STRENGTH: Record<ShownLevel, number> = { normal: 0, recovery: 1, alert: 2, first: 3, second: 4 };

/** Active declarations that have not reached their end by our clock, strongest first, drills last. */
export function inForce(active: readonly DeclarationView[], now: number): readonly DeclarationView[] {
  return active
    .filter((one) => !isOver(one.ends_at, now))
    .sort((a, b) => Number(a.drill) - Number(b.drill) || STRENGTH[b.level] - STRENGTH[a.level]);
}

export interface Situation {
  /** Highest level of the real declarations. */
  readonly level: ShownLevel;
  /** A drill runs in this place. */
  readonly drill: boolean;
}

const situationOf = (declarations: readonly DeclarationView[]): Situation => ({
  level: declarations
    .filter((one) => !one.drill)
    .reduce<ShownLevel>((top, one) => (STRENGTH[one.level] > STRENGTH[top] ? one.level : top), "normal"),
  drill: declarations.some((one) => one.drill),
});

/** Highest level anywhere. */
export function overall(active: readonly DeclarationView[], now: number): Situation {
  return situationOf(inForce(active, now));
}

/** Highest level among what covers this one site, department or duty, itself or with the whole municipality. */
export function situationAt(kind: ScopeKind, id: string, active: readonly DeclarationView[], now: number): Situation {
  const covers = (one: DeclarationView) =>
    one.scope.kind === "tenant" || (one.scope.kind === kind && one.scope.ids.includes(id));
  return situationOf(inForce(active, now).filter(covers));
}

export type Change = { readonly kind: "began" | "ended" | "waits" | "settled" | "changed"; readonly declaration: DeclarationView };

/** What happened between two answers of the gateway, for the screen reader and the title of the window. */
export function changes(before: BcpStatus, after: BcpStatus): readonly Change[] {
  const found: Change[] = [];
  const by = (list: readonly DeclarationView[]) => new Map(list.map((one) => [one.id, one]));
  const was = { active: by(before.active), waiting: by(before.waiting) };
  const is = { active: by(after.active), waiting: by(after.waiting) };
  for (const declaration of after.active) {
    const old = was.active.get(declaration.id);
    if (old === undefined) {
      found.push({ kind: "began", declaration });
    } else if (old.ends_at !== declaration.ends_at || old.level !== declaration.level || !sameScope(old, declaration)) {
      found.push({ kind: "changed", declaration });
    } else if (old.pending === null && declaration.pending !== null) {
      found.push({ kind: "waits", declaration });
    }
  }
  for (const declaration of after.waiting) {
    if (!was.waiting.has(declaration.id)) {
      found.push({ kind: "waits", declaration });
    }
  }
  for (const declaration of before.active) {
    if (!is.active.has(declaration.id)) {
      found.push({ kind: "ended", declaration });
    }
  }
  for (const declaration of before.waiting) {
    if (!is.waiting.has(declaration.id) && !is.active.has(declaration.id)) {
      found.push({ kind: "settled", declaration });
    }
  }
  return found;
}

function sameScope(a: DeclarationView, b: DeclarationView): boolean {
  return a.scope.kind === b.scope.kind && [...a.scope.ids].sort().join("\n") === [...b.scope.ids].sort().join("\n");
}
