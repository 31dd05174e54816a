/**
 * Client-side routes. A route comes only from the path of our own origin; the query string is never read,
 * so nobody can craft a link that sends a person somewhere after the log-in (bug class reflected_param_login).
 */
import { useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "home" }
  | { readonly page: "login" }
  | { readonly page: "desktops" }
  | { readonly page: "account" }
  | { readonly page: "vouch" }
  | { readonly page: "view"; readonly sessionId: string }
  | { readonly page: "bcp"; readonly view: BcpView }
  | { readonly page: "not-found" };

/** Parts of the BCP console. A declaration has an address of its own, so that a mail can lead the second person there. */
export type BcpView =
  | { readonly kind: "board" }
  | { readonly kind: "declare" | "drill" | "break-glass" | "reports" | "drills" | "plans" }
  | { readonly kind: "declaration" | "extend" | "people" | "report" | "plan" | "plan-edit"; readonly id: string };

const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Plan and version. */
const PLAN_VERSION = /^[a-z][a-z0-9-]{0,13}\.\d{1,4}$/;

const SIMPLE = ["login", "desktops", "account", "vouch"] as const;

function isSimple(name: string | undefined): name is (typeof SIMPLE)[number] {
  return SIMPLE.some((one) => one === name);
}

export function parsePath(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0) {
    return { page: "home" };
  }
  if (parts.length === 1 && isSimple(parts[0])) {
    return { page: parts[0] };
  }
  if (parts.length === 2 && parts[0] === "view" && SESSION_ID.test(parts[1] ?? "")) {
    return { page: "view", sessionId: parts[1] ?? "" };
  }
  if (parts[0] === "bcp") {
    const view = parseBcp(parts.slice(1));
    return view === null ? { page: "not-found" } : { page: "bcp", view };
  }
  return { page: "not-found" };
}

function parseBcp(parts: readonly string[]): BcpView | null {
  const [first, id, more] = parts;
  if (first === undefined) {
    return { kind: "board" };
  }
  if (parts.length === 1) {
    switch (first) {
      case "declare":
      case "drill":
      case "break-glass":
      case "reports":
      case "drills":
      case "plans":
        return { kind: first };
      default:
        return null;
    }
  }
  if (first === "plans") {
    return parsePlan(parts.slice(1));
  }
  if (id === undefined || !SESSION_ID.test(id)) {
    return null;
  }
  if (parts.length === 2) {
    return first === "d" ? { kind: "declaration", id } : first === "reports" ? { kind: "report", id } : null;
  }
  return first === "d" && parts.length === 3 && (more === "extend" || more === "people") ? { kind: more, id } : null;
}

function parsePlan([id, more, ...rest]: readonly string[]): BcpView | null {
  if (id === "new" && more === undefined) {
    return { kind: "plan-edit", id };
  }
  if (id === undefined || !PLAN_VERSION.test(id) || rest.length > 0) {
    return null;
  }
  return more === undefined ? { kind: "plan", id } : more === "edit" ? { kind: "plan-edit", id } : null;
}

function bcpPath(view: BcpView): string {
  switch (view.kind) {
    case "board":
      return "/bcp";
    case "declaration":
      return `/bcp/d/${view.id}`;
    case "extend":
    case "people":
      return `/bcp/d/${view.id}/${view.kind}`;
    case "report":
      return `/bcp/reports/${view.id}`;
    case "plan":
      return `/bcp/plans/${view.id}`;
    case "plan-edit":
      return view.id === "new" ? "/bcp/plans/new" : `/bcp/plans/${view.id}/edit`;
    case "plans":
    case "declare":
    case "drill":
    case "break-glass":
    case "reports":
    case "drills":
      return `/bcp/${view.kind}`;
  }
}

export function pathOf(route: Route): string {
  switch (route.page) {
    case "login":
    case "desktops":
    case "account":
    case "vouch":
      return `/${route.page}`;
    case "view":
      return `/view/${route.sessionId}`;
    case "bcp":
      return bcpPath(route.view);
    case "home":
    case "not-found":
      return "/";
  }
}

const listeners = new Set<() => void>();
let current: Route | null = null;
let visits = 0;

function now(): Route {
  current ??= parsePath(window.location.pathname);
  return current;
}

function changed(): void {
  current = parsePath(window.location.pathname);
  visits += 1;
  listeners.forEach((listener) => listener());
}

let backGuard: (() => void) | null = null;

/**
 * While set, a step back in the history (a swipe on a tablet is enough) stays on the page and calls `guard` instead,
 * which can ask first. Null takes it away.
 */
export function guardBack(guard: (() => void) | null): void {
  backGuard = guard;
}

function historyMoved(): void {
  if (backGuard !== null && current !== null) {
    window.history.pushState(null, "", pathOf(current));
    backGuard();
    return;
  }
  changed();
}

/** Goes to another page of the app; `replace` leaves no step back (after log-in, log-out). */
export function navigate(route: Route, how: "push" | "replace" = "push"): void {
  const path = pathOf(route);
  if (how === "replace" || path === window.location.pathname) {
    window.history.replaceState(null, "", path);
  } else {
    window.history.pushState(null, "", path);
  }
  changed();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    window.addEventListener("popstate", historyMoved);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.removeEventListener("popstate", historyMoved);
    }
  };
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, now);
}

/** Grows with every navigation: a page that must start afresh even at the same address uses it as its key. */
export function useVisit(): number {
  return useSyncExternalStore(subscribe, () => visits);
}
