/**
 * One viewer's life: wait until the desktop is ready, get a ticket, open the stream, come back after a drop, end.
 * Counterparts: the gateway's session routes and its stream; noVNC draws. Holds no React; the page subscribes.
 * Must never come back by itself after the gateway said that it is over: that would steal the desktop from the
 * person's next device.
 */
import { ApiError, NetworkError } from "../api/http";
import type { SessionInfo, Ticket } from "../api/types";
import { Channel, type ChannelEnd, type RawSocket } from "./channel";
import { isHeld } from "./queue";
import { doubtfulTries, endOfReason, judgeClose, retryDelay, type Closing, type EndKind } from "./closing";

export type Phase =
  | { readonly kind: "preparing"; readonly since: number }
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly since: number; readonly again: boolean }
  | {
      readonly kind: "waiting";
      readonly attempt: number;
      readonly retryAt: number;
      readonly offline: boolean;
      /** The line is there: the gateway says that it cannot let anybody in just now. */
      readonly answered: boolean;
    }
  | { readonly kind: "over"; readonly end: EndKind; readonly at: number };

export interface ViewerState {
  readonly phase: Phase;
  readonly info: SessionInfo | null;
  /** True once a picture was there: from then on a drop is a reconnect, not a start. */
  readonly seen: boolean;
}

/** What draws the stream. */
export interface Screen {
  close(): void;
}

export interface ScreenEvents {
  readonly onConnected: () => void;
  /** noVNC cannot go on, e.g. a security type it was not promised. */
  readonly onFailed: () => void;
}

export interface ConnectionDeps {
  readonly get: (id: string, signal: AbortSignal) => Promise<SessionInfo>;
  readonly ticket: (id: string, signal: AbortSignal) => Promise<Ticket>;
  readonly openSocket: (id: string, ticket: string) => RawSocket;
  readonly openScreen: (channel: Channel, info: SessionInfo, events: ScreenEvents) => Screen;
  /** True when the gateway answers: tried while waiting, so that we are back within 3 s of the line. */
  readonly probe: () => Promise<boolean>;
  /** Whether `lookAgain` is called at each change of the session. */
  readonly told: () => boolean;
  /** Whether the page is seen. */
  readonly present: () => boolean;
  /** What the browser says about the network. */
  readonly online: () => boolean;
  readonly now: () => number;
  readonly random: () => number;
}

const POLL_MS = 400;
/** In a queue: places change by the minute, and hundreds may wait. */
const QUEUE_POLL_MS = 2_000;
/** While every change of the session is heard of, asking is only for what else the page shows meanwhile. */
const TOLD_POLL_MS = 2_000;
const CONNECT_TIMEOUT_MS = 15_000;
const PROBE_MS = 2_000;
const GIVE_UP_MS = 30 * 60_000;

type Outcome = Closing & { readonly lasted: boolean };

export class ViewerConnection {
  state: ViewerState = { phase: { kind: "preparing", since: 0 }, info: null, seen: false };
  channel: Channel | null = null;
  lastInput = 0;

  readonly #id: string;
  readonly #deps: ConnectionDeps;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #wake: () => void = () => undefined;
  #finish: ((outcome: Outcome) => void) | null = null;
  #droppedSince: number | null = null;
  #news = 0;

  constructor(sessionId: string, deps: ConnectionDeps) {
    this.#id = sessionId;
    this.#deps = deps;
    this.state = { ...this.state, phase: { kind: "preparing", since: deps.now() } };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): ViewerState => this.state;

  /** Runs until the session is over for this viewer or `dispose` is called. */
  async run(): Promise<void> {
    let attempt = 0;
    let doubtful = 0;
    while (!this.#stop.signal.aborted) {
      const outcome = await this.#attempt();
      if (this.#stop.signal.aborted) {
        return;
      }
      if (outcome.lasted) {
        attempt = 0;
        doubtful = 0;
      }
      doubtful = outcome.kind === "doubtful" ? doubtful + 1 : 0;
      if (outcome.kind === "over" || (outcome.kind === "doubtful" && doubtful >= doubtfulTries(outcome.end))) {
        await this.#over(outcome.end);
        return;
      }
      if (this.#tooLong(outcome.lasted)) {
        await this.#over("stopped");
        return;
      }
      await this.#wait(attempt, outcome);
      attempt += 1;
    }
  }

  /** The person leaves on purpose; the desktop keeps running. */
  disconnect(): void {
    this.#settle({ kind: "over", end: "disconnected", lasted: true });
  }

  /** The person has logged off (the desktop was ended through the API). */
  loggedOff(): void {
    this.#settle({ kind: "over", end: "logged_off", lasted: true });
  }

  /** The line is known to be dead (offline event, no answer to probes). */
  dropLine(): void {
    this.channel?.drop();
  }

  /** Something says that the line may be back: try at once. */
  retryNow(): void {
    this.#wake();
  }

  /** The session may have changed: look at once, if it is being waited for. */
  lookAgain(): void {
    this.#news += 1;
    if (this.state.phase.kind === "preparing") {
      this.#wake();
    }
  }

  /** Real input that changes nothing, so that the gateway sees that somebody is there. */
  nudge(middle: { readonly x: number; readonly y: number }): void {
    this.channel?.nudge(middle);
  }

  /** Takes newer facts about the session (limits may have changed). */
  refresh(info: SessionInfo): void {
    this.#set({ info });
  }

  dispose(): void {
    this.#stop.abort();
    this.#settle({ kind: "over", end: "disconnected", lasted: true });
    this.#wake();
  }

  #set(change: Partial<ViewerState>): void {
    this.state = { ...this.state, ...change };
    this.#listeners.forEach((listener) => listener());
  }

  #settle(outcome: Outcome): void {
    this.#finish?.(outcome);
    if (this.#finish === null && !this.#stop.signal.aborted && this.state.phase.kind !== "over" && outcome.kind === "over") {
      // No stream is open (starting or waiting): end from here.
      this.#stop.abort();
      this.#wake();
      void this.#over(outcome.end);
    }
  }

  #tooLong(lasted: boolean): boolean {
    if (lasted || this.#droppedSince === null) {
      this.#droppedSince = this.#deps.now();
    }
    return this.#deps.now() - this.#droppedSince > GIVE_UP_MS;
  }

  async #over(end: EndKind): Promise<void> {
    this.#set({ phase: { kind: "over", end, at: this.#deps.now() } });
    if (end === "signed_out") {
      return;
    }
    try {
      // Working time and the gateway's own words for the end.
      this.#set({ info: await this.#deps.get(this.#id, AbortSignal.timeout(5_000)) });
    } catch {
      // The end page does without.
    }
  }

  async #attempt(): Promise<Outcome> {
    try {
      const info = await this.#ready();
      if (info.state === "ended" || info.state === "ending" || info.state === "parked") {
        return { kind: "over", end: endOfReason(info.end_reason), lasted: false };
      }
      if (info.held_elsewhere === true && this.state.seen) {
        // While our line was down the person went on at another device: leave it there.
        return { kind: "over", end: "taken_over", lasted: false };
      }
      if (!this.state.seen) {
        this.#set({ phase: { kind: "connecting" } });
      }
      const { ticket } = await this.#deps.ticket(this.#id, this.#stop.signal);
      return await this.#stream(info, ticket);
    } catch (error) {
      return { ...judgeFailure(error), lasted: false };
    }
  }

  /** Polls until the desktop can be connected or has ended. */
  async #ready(): Promise<SessionInfo> {
    let queued = false;
    for (;;) {
      const news = this.#news;
      const info = await this.#deps.get(this.#id, this.#stop.signal);
      this.#set({ info });
      queued ||= info.state === "queued" && Boolean(info.queue);
      // After a wait, a page that nobody sees leaves the held seat alone: it goes to the next if nobody comes.
      const away = queued && isHeld(info) && !this.#deps.present();
      if (!away && info.state !== "requested" && info.state !== "queued" && info.state !== "starting") {
        return info;
      }
      if (this.state.phase.kind !== "preparing") {
        this.#set({ phase: { kind: "preparing", since: this.#deps.now() } });
      }
      if (news === this.#news) {
        await this.#sleep(this.#deps.told() ? TOLD_POLL_MS : queued ? QUEUE_POLL_MS : POLL_MS);
      }
    }
  }

  #stream(info: SessionInfo, ticket: string): Promise<Outcome> {
    return new Promise((resolve) => {
      const channel = new Channel(this.#deps.openSocket(this.#id, ticket));
      let lasted = false;
      let screen: Screen | null = null;
      const timeout = setTimeout(() => channel.drop(), CONNECT_TIMEOUT_MS);
      const finish = (outcome: Outcome) => {
        if (this.#finish !== finish) {
          return;
        }
        this.#finish = null;
        this.channel = null;
        clearTimeout(timeout);
        channel.close();
        screen?.close();
        resolve(outcome);
      };
      this.#finish = finish;
      this.channel = channel;
      channel.onInput = () => {
        this.lastInput = this.#deps.now();
      };
      channel.onEnd = (end: ChannelEnd) => finish({ ...judgeClose(end.code, end.reason), lasted });
      screen = this.#deps.openScreen(channel, info, {
        onConnected: () => {
          clearTimeout(timeout);
          lasted = true;
          this.lastInput = this.#deps.now();
          this.#droppedSince = null;
          this.#set({ phase: { kind: "connected", since: this.#deps.now(), again: this.state.seen }, seen: true });
        },
        onFailed: () => finish({ kind: "doubtful", end: "failed", lasted: false }),
      });
    });
  }

  async #wait(attempt: number, outcome: Closing): Promise<void> {
    const lineLost = outcome.kind === "retry" && outcome.answered !== true;
    const answered = outcome.kind === "retry" && !lineLost;
    const delay = retryDelay(attempt, this.#deps.random());
    const retryAt = this.#deps.now() + delay;
    this.#set({ phase: { kind: "waiting", attempt: attempt + 1, retryAt, offline: !this.#deps.online(), answered } });
    // A gateway that answers but refuses us must not be asked faster because it answers.
    const probing = lineLost && delay > PROBE_MS ? setInterval(() => void this.#probe(), PROBE_MS) : undefined;
    await this.#sleep(delay);
    clearInterval(probing);
  }

  async #probe(): Promise<void> {
    if (await this.#deps.probe()) {
      this.#wake();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** What a refused or failed request means on the way to a stream. */
export function judgeFailure(error: unknown): Closing {
  if (error instanceof ApiError) {
    switch (error.status) {
      case 401:
        return { kind: "over", end: "signed_out" };
      case 403:
        return { kind: "over", end: "denied" };
      case 404:
      case 410:
        return { kind: "over", end: "not_found" };
      case 503:
        // The desktop runs on while the gateway's database is away: come back for as long as after a lost line.
        return error.problem.code === "store_unavailable"
          ? { kind: "retry", answered: true }
          : { kind: "doubtful", end: "busy" };
      case 429:
        return { kind: "doubtful", end: "busy" };
      default:
        return { kind: "doubtful", end: "failed" };
    }
  }
  if (error instanceof NetworkError || error instanceof DOMException) {
    return { kind: "retry" };
  }
  return { kind: "doubtful", end: "failed" };
}
