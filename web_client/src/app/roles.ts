/** Pure: who gets to see the BCP console at all. Administrators alone do not. The gateway decides again by itself. */

const CONSOLE_ROLES = ["coordinator", "approver", "auditor"] as const;

export function maySeeConsole(roles: readonly string[]): boolean {
  return CONSOLE_ROLES.some((role) => roles.includes(role));
}
