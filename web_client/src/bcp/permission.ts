/** Pure: what a person may begin or finish on the console. The gateway decides; this only spares people dead buttons. */
import { maySeeConsole } from "../app/roles";
import { isOver } from "./countdown";
import type { BcpStatus, DeclarationView, OfficialView } from "./types";

export function mayPropose(roles: readonly string[]): boolean {
  return roles.includes("coordinator") || roles.includes("approver");
}

/** Alone only those may declare who are on the list: nobody listed comes after them. */
export function mayBreakGlass(me: BcpStatus["me"]): boolean {
  return mayPropose(me.roles) && me.official !== null;
}

/** Sees everything, changes nothing. */
export function isReader(roles: readonly string[]): boolean {
  return maySeeConsole(roles) && !mayPropose(roles);
}

/** One person declared it alone, and nobody has ratified it yet. */
export function isUnratified(declaration: DeclarationView): boolean {
  return declaration.break_glass && !declaration.signatures.some((signature) => signature.role === "ratified");
}

/** A later end is only for activations; a drill, an alert and an unratified break-glass need a new declaration. */
export function mayExtend(declaration: DeclarationView): boolean {
  const activation = declaration.level === "first" || declaration.level === "second";
  return declaration.may.includes("extend") && activation && !declaration.drill && !isUnratified(declaration);
}

export type TaskKind = "approve" | "extend_approve" | "ratify";

/** Something that waits for a second person. `mine` when the caller may be that person. */
export interface Task {
  readonly kind: TaskKind;
  readonly declaration: DeclarationView;
  readonly deadline: string;
  readonly mine: boolean;
}

/** All that waits for a second signature: what the caller may sign comes first, then what lapses first. */
export function tasks(status: Pick<BcpStatus, "waiting" | "active">, now: number): readonly Task[] {
  const found: Task[] = [];
  for (const declaration of status.waiting) {
    found.push(task("approve", declaration, declaration.lapses_at ?? declaration.ends_at));
  }
  for (const declaration of status.active) {
    if (declaration.pending !== null) {
      found.push(task("extend_approve", declaration, declaration.pending.lapses_at));
    }
    if (isUnratified(declaration)) {
      found.push(task("ratify", declaration, declaration.ends_at));
    }
  }
  return found
    .filter((one) => !isOver(one.deadline, now))
    .sort((a, b) => Number(b.mine) - Number(a.mine) || Date.parse(a.deadline) - Date.parse(b.deadline));
}

function task(kind: TaskKind, declaration: DeclarationView, deadline: string): Task {
  return { kind, declaration, deadline, mine: declaration.may.includes(kind) };
}

/** The task a declaration is waiting for, if any. */
export function taskOf(declaration: DeclarationView, now: number): Task | null {
  const waits = declaration.state === "awaiting_approval";
  const alone = { waiting: waits ? [declaration] : [], active: declaration.state === "active" ? [declaration] : [] };
  return tasks(alone, now)[0] ?? null;
}

/** Officials who stand before the signer in the 代行順位: signing then means that they cannot be reached. */
export function higherOfficials(
  official: BcpStatus["me"]["official"],
  officials: readonly OfficialView[],
): readonly OfficialView[] {
  return official === null ? [] : officials.filter((one) => one.rank < official.rank).sort((a, b) => a.rank - b.rank);
}
