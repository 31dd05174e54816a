/** One function per route of the gateway that the pages use. No logic, only paths and types. */
import { request, type RequestOptions } from "./http";
import type { BcpNotice, CardInForce, DesktopInfo, Enrolment, LoginState, Me, NewRecoveryCodes, PrintedCard, PublicNotice, SessionInfo, StepUp, Ticket, WebSessionInfo } from "./types";

interface Items<T> {
  readonly items: readonly T[];
}

const part = encodeURIComponent;

/** The line may be bad on the day when this is needed. */
const PATIENT: RequestOptions = { timeoutMs: 30_000 };

export const login = {
  state: () => request<LoginState>("GET", "/login", undefined, { quiet401: true }),
  password: (username: string, password: string) => post("/login", { username, password }),
  totp: (code: string) => post("/login/totp", { code }),
  recovery: (code: string) => post("/login/recovery", { code }),
  startEnrolment: () => request<Enrolment>("POST", "/login/enrol", {}, { quiet401: true }),
  confirmEnrolment: (code: string) => post("/login/enrol/confirm", { code }),
  finishEnrolment: () => post("/login/enrol/done", {}),
  changePassword: (newPassword: string) => post("/login/password", { new_password: newPassword }),
  restart: () => request<void>("DELETE", "/login", undefined, { quiet401: true }),
};

function post(path: string, body: unknown): Promise<LoginState> {
  return request<LoginState>("POST", path, body, { quiet401: true });
}

export const account = {
  me: (options: RequestOptions = {}) => request<Me>("GET", "/me", undefined, options),
  logout: () => request<void>("POST", "/logout", {}, { quiet401: true }),
  webSessions: (options: RequestOptions = {}) =>
    request<Items<WebSessionInfo>>("GET", "/me/web-sessions", undefined, options),
  newRecoveryCodes: (code: string) => request<NewRecoveryCodes>("POST", "/me/recovery-codes", { code }),
  /** A fresh code of the authenticator inside a session: the answer renews the session's token. */
  stepUp: (code: string) => request<StepUp>("POST", "/me/step-up", { code }, PATIENT),
  emergencyCard: (options: RequestOptions = {}) =>
    request<{ readonly card: CardInForce | null }>("GET", "/me/emergency-card", undefined, options),
  // Drawing it takes the gateway seconds.
  printEmergencyCard: (code: string) => request<PrintedCard>("POST", "/me/emergency-card", { code }, PATIENT),
  voidEmergencyCard: () => request<void>("DELETE", "/me/emergency-card"),
  revokeWebSession: (id: string) => request<void>("DELETE", `/me/web-sessions/${part(id)}`),
};

export const desktops = {
  list: (options: RequestOptions = {}) => request<Desktops>("GET", "/desktops", undefined, options),
};

/** Gateways without BCP mode send no notices. */
type Desktops = Items<DesktopInfo> & { readonly notices?: readonly BcpNotice[] };

export const notices = {
  /** Sent without the cookie: asking again and again must not keep a login alive. */
  public: (options: RequestOptions = {}) =>
    request<PublicNotice>("GET", "/notice", undefined, { ...options, anonymous: true }),
};

export const sessions = {
  open: (poolId: string) => request<SessionInfo>("POST", "/sessions", { pool_id: poolId }),
  get: (id: string, options: RequestOptions = {}) =>
    request<SessionInfo>("GET", `/sessions/${part(id)}`, undefined, options),
  ticket: (id: string, options: RequestOptions = {}) =>
    request<Ticket>("POST", `/sessions/${part(id)}/ticket`, {}, options),
  logOff: (id: string) => request<void>("DELETE", `/sessions/${part(id)}`),
};

/** Address of the desktop's stream. The ticket travels in the subprotocol list, never in the address. */
export function streamUrl(id: string, origin: string = window.location.origin): string {
  return `${origin.replace(/^http/, "ws")}/api/v1/sessions/${part(id)}/rfb`;
}

export function streamProtocols(ticket: string): string[] {
  return ["binary", `kakehashi.ticket.${ticket}`];
}
