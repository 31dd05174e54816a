/**
 * Who is logged in, for all pages. Counterpart: GET /me. Lives in memory only; a reload asks the gateway again.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { account } from "../api/endpoints";
import { ApiError, setCsrfToken, setUnauthenticatedHandler } from "../api/http";
import type { Me } from "../api/types";
import { navigate, parsePath, type Route } from "./router";
import { useChangeStream } from "./useChanges";

export type LoginNotice = "expired" | "loggedOut" | null;

export type IdentityState =
  | { readonly kind: "loading" }
  | { readonly kind: "unreachable"; readonly error: unknown }
  | { readonly kind: "anonymous"; readonly notice: LoginNotice }
  | { readonly kind: "known"; readonly me: Me };

interface Identity {
  readonly state: IdentityState;
  /** Asks the gateway who we are (again) and, when logged in, goes where the person wanted to go. */
  readonly refresh: () => Promise<void>;
  readonly logout: () => Promise<void>;
}

const IdentityContext = createContext<Identity | null>(null);

export function useIdentity(): Identity {
  const identity = useContext(IdentityContext);
  if (identity === null) {
    throw new Error("IdentityProvider is missing");
  }
  return identity;
}

/** The logged-in person; pages behind the log-in may rely on it. */
export function useMe(): Me {
  const { state } = useIdentity();
  if (state.kind !== "known") {
    throw new Error("page needs a logged-in person");
  }
  return state.me;
}

const AGAIN_MS = 8_000;

// Where the person wanted to go before the log-in page came up. Memory only, never an address from outside.
let wanted: Route | null = null;

function rememberWanted(): void {
  const route = parsePath(window.location.pathname);
  if (route.page !== "home" && route.page !== "login" && route.page !== "not-found") {
    wanted = route;
  }
}

export function IdentityProvider({ children }: { readonly children: ReactNode }) {
  const [state, setState] = useState<IdentityState>({ kind: "loading" });

  const becomeAnonymous = useCallback((notice: LoginNotice) => {
    setCsrfToken(null);
    // What was asked before a log-out may be refused after it: the person has logged out, nothing expired.
    setState((before) => (before.kind === "anonymous" && notice === "expired" ? before : { kind: "anonymous", notice }));
    navigate({ page: "login" }, "replace");
  }, []);

  const refresh = useCallback(async () => {
    try {
      const me = await account.me({ quiet401: true });
      setCsrfToken(me.csrf_token);
      setState({ kind: "known", me });
      const route = parsePath(window.location.pathname);
      if (route.page === "home" || route.page === "login") {
        navigate(wanted ?? { page: "desktops" }, "replace");
      }
      wanted = null;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        rememberWanted();
        becomeAnonymous(null);
      } else {
        setState({ kind: "unreachable", error });
      }
    }
  }, [becomeAnonymous]);

  const logout = useCallback(async () => {
    try {
      await account.logout();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) {
        throw error;
      }
    }
    wanted = null;
    becomeAnonymous("loggedOut");
  }, [becomeAnonymous]);

  useEffect(() => {
    setUnauthenticatedHandler(() => {
      rememberWanted();
      becomeAnonymous("expired");
    });
    void refresh();
  }, [becomeAnonymous, refresh]);

  // While nothing can be shown, the page looks by itself whether it can be again; the notice stays until then.
  useEffect(() => {
    if (state.kind !== "unreachable") {
      return undefined;
    }
    const look = () => {
      if (document.visibilityState !== "hidden") {
        account.me({ quiet401: true, background: true }).then(
          () => void refresh(),
          (error: unknown) => (error instanceof ApiError && error.status === 401 ? void refresh() : undefined),
        );
      }
    };
    const timer = window.setInterval(look, AGAIN_MS * (1 + Math.random() / 2));
    return () => window.clearInterval(timer);
  }, [state.kind, refresh]);

  useChangeStream(state.kind === "known");

  const value = useMemo(() => ({ state, refresh, logout }), [state, refresh, logout]);
  return <IdentityContext.Provider value={value}>{children}</IdentityContext.Provider>;
}
