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
  | { readonly page: "view"; readonly sessionId: string }
  | { readonly page: "not-found" };

const SESSION_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function parsePath(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0) {
    return { page: "home" };
  }
  if (parts.length === 1 && (parts[0] === "login" || parts[0] === "desktops" || parts[0] === "account")) {
    return { page: parts[0] };
  }
  if (parts.length === 2 && parts[0] === "view" && SESSION_ID.test(parts[1] ?? "")) {
    return { page: "view", sessionId: parts[1] ?? "" };
  }
  return { page: "not-found" };
}

export function pathOf(route: Route): string {
  switch (route.page) {
    case "login":
    case "desktops":
    case "account":
      return `/${route.page}`;
    case "view":
      return `/view/${route.sessionId}`;
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
