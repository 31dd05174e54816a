/**
 * Hears from the gateway that something changed, and tells the pages to read it again. Counterpart: GET /changes, which
 * sends names of topics and nothing else.
 * One stream a page, open only while the page is seen and somebody is logged in: a browser has six connections to a host
 * over HTTP/1.1, and pages nobody looks at must not use them up. Without a stream (a proxy holds it up, too many windows)
 * the pages read again every few seconds. Holds no React; the pages use `useChanges`.
 */

export type Topic = "desktops" | "sessions" | "bcp" | "receipts";
const TOPICS: readonly Topic[] = ["desktops", "sessions", "bcp", "receipts"];

/** The part of EventSource that is used. */
export interface Source {
  addEventListener(type: "open" | "error" | "change", listener: (event: { readonly data?: unknown }) => void): void;
  close(): void;
}

export interface ChangesDeps {
  readonly open: () => Source;
  /** Finds out whether the stream is refused because the login is over; asked after a failed try. */
  readonly check: () => void;
  readonly random: () => number;
}

/** Several topics in a row are one reason to read again; the gateway tells its pages in turn. */
export const GATHER_MS = 50;
/** How often pages read again while there is no stream. */
export const FALLBACK_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;

export class Changes {
  readonly #deps: ChangesDeps;
  readonly #listeners = new Map<Topic, Set<() => void>>();
  readonly #waiting = new Set<Topic>();
  #loggedIn = false;
  #visible = true;
  #source: Source | null = null;
  #live = false;
  #failed = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #gather: ReturnType<typeof setTimeout> | undefined;
  #fallback: ReturnType<typeof setInterval> | undefined;

  constructor(deps: ChangesDeps) {
    this.#deps = deps;
  }

  /** Whether every change will be heard of. */
  get live(): boolean {
    return this.#live;
  }

  /** Calls `listener` whenever the topic may have changed; returns how to stop that. */
  listen(topic: Topic, listener: () => void): () => void {
    const all = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, all.add(listener));
    return () => all.delete(listener);
  }

  setLoggedIn(loggedIn: boolean): void {
    this.#loggedIn = loggedIn;
    this.#update();
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    this.#update();
  }

  #update(): void {
    const wanted = this.#loggedIn && this.#visible;
    if (wanted === (this.#fallback !== undefined)) {
      return;
    }
    if (wanted) {
      this.#failed = 0;
      this.#fallback = setInterval(() => this.#live || this.#tell(TOPICS), FALLBACK_MS);
      this.#open();
    } else {
      this.#close();
      clearInterval(this.#fallback);
      clearTimeout(this.#retry);
      clearTimeout(this.#gather);
      this.#fallback = undefined;
      this.#gather = undefined;
      this.#waiting.clear();
    }
  }

  #open(): void {
    const source = this.#deps.open();
    this.#source = source;
    const on = (type: "open" | "error" | "change", act: (data: unknown) => void) =>
      source.addEventListener(type, ({ data }) => this.#source === source && act(data));
    on("open", () => {
      this.#failed = 0;
      this.#live = true;
    });
    on("error", () => this.#lost());
    on("change", (data) => this.#tell(TOPICS.filter((topic) => topic === data)));
  }

  /** EventSource would come again by itself, but without any back-off, and not at all after a refusal. */
  #lost(): void {
    const never = !this.#live;
    this.#close();
    if (never) {
      this.#deps.check();
    }
    if (this.#failed === 1) {
      this.#tell(TOPICS);
    }
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failed);
    this.#failed += 1;
    this.#retry = setTimeout(() => this.#open(), longest * (0.5 + this.#deps.random() / 2));
  }

  #close(): void {
    this.#live = false;
    this.#source?.close();
    this.#source = null;
  }

  #tell(topics: readonly Topic[]): void {
    topics.forEach((topic) => this.#waiting.add(topic));
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      const told = [...this.#waiting];
      this.#waiting.clear();
      told.forEach((topic) => this.#listeners.get(topic)?.forEach((listener) => listener()));
    }, GATHER_MS);
  }
}
