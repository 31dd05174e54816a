/**
 * Asks again and again while somebody looks. Must never have a question under way while a signature is made: signing
 * renews the login, and an answer to the old one would look like a log-out. Counterpart: `useStatus`.
 */

export interface PollerHooks<T> {
  readonly load: (signal: AbortSignal) => Promise<T>;
  readonly onValue: (value: T) => void;
  readonly onError: (error: unknown) => void;
}

export class Poller<T> {
  readonly #hooks: PollerHooks<T>;
  readonly #interval: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asking: AbortController | null = null;
  /** Reasons not to ask: page hidden, nobody there, a signature under way. */
  readonly #held = new Set<string>();

  constructor(hooks: PollerHooks<T>, intervalMs: number) {
    this.#hooks = hooks;
    this.#interval = intervalMs;
  }

  get running(): boolean {
    return this.#timer !== null || this.#asking !== null;
  }

  /** Stops at once, dropping a question that is under way, until every reason is released. */
  hold(reason: string): void {
    this.#held.add(reason);
    this.#stop();
  }

  release(reason: string): void {
    if (this.#held.delete(reason)) {
      void this.ask();
    }
  }

  /** Asks now instead of later. Settles when the answer was handed on; does nothing while held. */
  async ask(): Promise<void> {
    this.#stop();
    if (this.#held.size > 0) {
      return;
    }
    const own = new AbortController();
    this.#asking = own;
    try {
      const value = await this.#hooks.load(own.signal);
      if (!own.signal.aborted) {
        this.#hooks.onValue(value);
      }
    } catch (error) {
      if (!own.signal.aborted) {
        this.#hooks.onError(error);
      }
    }
    if (!own.signal.aborted) {
      this.#asking = null;
      this.#timer = setTimeout(() => void this.ask(), this.#interval);
    }
  }

  #stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#asking?.abort();
    this.#asking = null;
  }
}
