/**
 * The one place that talks HTTP. Counterpart: the gateway's JSON API on our own origin.
 * Keeps the CSRF token and the clock difference in memory only; must never write to any browser storage,
 * and never follows an address taken from a response or from the page's query string.
 */
import type { Problem } from "./types";

/** A request that reached the gateway and was refused, with the gateway's own public text. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.code);
    this.name = "ApiError";
    this.problem = problem;
  }
  get status(): number {
    return this.problem.status;
  }
}

/** A request that did not reach the gateway or got no answer in time. */
export class NetworkError extends Error {
  readonly timedOut: boolean;
  constructor(timedOut: boolean) {
    super(timedOut ? "timed out" : "network failure");
    this.name = "NetworkError";
    this.timedOut = timedOut;
  }
}

export const API_ROOT = "/api/v1";
const DEFAULT_TIMEOUT_MS = 15_000;

let csrfToken: string | null = null;
let clockOffsetMs = 0;
let onUnauthenticated: () => void = () => undefined;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called whenever the gateway says that we are no longer logged in. */
export function setUnauthenticatedHandler(handler: () => void): void {
  onUnauthenticated = handler;
}

/** The gateway's clock in ms since the epoch, to the second: a PC with a wrong clock must still warn in time. */
export function gatewayNow(): number {
  return Date.now() + clockOffsetMs;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Some 401 answers are part of a normal flow (first load): then the handler must stay quiet. */
  readonly quiet401?: boolean;
  /** Leaves the cookie out: for what is public and asked for often. */
  readonly anonymous?: boolean;
  /** Asked by the page and not by the person: keeps no login alive. */
  readonly background?: boolean;
}

type Method = "GET" | "POST" | "DELETE";

/**
 * Sends one JSON request to `/api/v1{path}`.
 * @returns the decoded body, or undefined for 204.
 * @throws ApiError for an answer outside 2xx, NetworkError when there was none.
 */
export async function request<T>(method: Method, path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
  let response = await send(method, path, body, options);
  if (response.status === 403 && method !== "GET" && (await tokenRenewed())) {
    response = await send(method, path, body, options);
  }
  if (response.status === 401 && options.background === true) {
    // Signing renews the login; a question that was under way may have been sent with the old one.
    response = await send(method, path, body, options);
  }
  noteClock(response);
  if (response.status === 204) {
    return undefined as T;
  }
  const text = await readText(response);
  if (!response.ok) {
    const problem = toProblem(response.status, text);
    if (response.status === 401 && options.quiet401 !== true) {
      onUnauthenticated();
    }
    throw new ApiError(problem);
  }
  return parseJson(text) as T;
}

/** Another tab may have renewed the login (a step-up does), and with it the token: then the new one is taken over. */
async function tokenRenewed(): Promise<boolean> {
  const before = csrfToken;
  if (before === null) {
    return false;
  }
  try {
    const answer = await send("GET", "/me", undefined, {});
    const me: unknown = answer.ok ? await answer.json() : null;
    const token = (me as { csrf_token?: unknown } | null)?.csrf_token;
    if (typeof token === "string" && token !== before) {
      csrfToken = token;
      return true;
    }
  } catch {
    // The refusal that made us ask is what the person gets to see.
  }
  return false;
}

async function send(method: Method, path: string, body: unknown, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET" && csrfToken !== null) {
    headers["X-CSRF-Token"] = csrfToken;
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  if (options.background === true) {
    headers["X-Background"] = "1";
  }
  const deadline = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const init: RequestInit = {
    method,
    headers,
    credentials: options.anonymous === true ? "omit" : "same-origin",
    cache: "no-store",
    redirect: "error",
    signal: options.signal === undefined ? deadline : anySignal(options.signal, deadline),
  };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(API_ROOT + path, init);
  } catch (error) {
    if (options.signal?.aborted === true) {
      throw error;
    }
    throw new NetworkError(deadline.aborted);
  }
}

/** AbortSignal.any is younger than the oldest browser we support. */
function anySignal(first: AbortSignal, second: AbortSignal): AbortSignal {
  const both = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) {
      both.abort(signal.reason);
    } else {
      signal.addEventListener("abort", () => both.abort(signal.reason), { once: true });
    }
  }
  return both.signal;
}

function noteClock(response: Response): void {
  const stamp = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isFinite(stamp)) {
    const difference = stamp - Date.now();
    // The header has whole seconds: a smaller difference is rounding and network time, not a wrong clock.
    clockOffsetMs = Math.abs(difference) < 2_000 ? 0 : difference;
  }
}

async function readText(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch {
    throw new NetworkError(false);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(fallbackProblem(502));
  }
}

/** Makes a problem document out of any refusal: a proxy in front of the gateway may answer with HTML. */
export function toProblem(status: number, text: string): Problem {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isProblem(parsed)) {
      return { ...parsed, status };
    }
  } catch {
    // Not JSON: the fall-back below says what can be said.
  }
  return fallbackProblem(status);
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const candidate = value as Record<string, unknown>;
  return ["code", "text_ja", "text_en"].every((key) => typeof candidate[key] === "string");
}

function fallbackProblem(status: number): Problem {
  return {
    code: `http_${status}`,
    title: `HTTP ${status}`,
    status,
    text_ja: `サーバーから想定外の応答がありました（番号 ${status}）。時間をおいて、もう一度お試しください。続くときは、情報システム担当に番号をお知らせください。`,
    text_en: `The service answered in an unexpected way (number ${status}). Please try again in a while. If it goes on, tell your IT desk this number.`,
  };
}
