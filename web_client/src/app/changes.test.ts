import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Changes, FALLBACK_MS, GATHER_MS, type Source, type Topic } from "./changes";

type Listener = (event: { readonly data?: unknown }) => void;

class Stream implements Source {
  closed = false;
  readonly #listeners = new Map<string, Listener>();
  addEventListener(type: "open" | "error" | "change", listener: Listener): void {
    this.#listeners.set(type, listener);
  }
  close(): void {
    this.closed = true;
  }
  say(type: "open" | "error" | "change", data?: string): void {
    this.#listeners.get(type)?.({ data });
  }
}

function setUp() {
  const streams: Stream[] = [];
  const told: Topic[] = [];
  const check = vi.fn();
  const changes = new Changes({
    open: () => {
      const stream = new Stream();
      streams.push(stream);
      return stream;
    },
    check,
    random: () => 1,
  });
  for (const topic of ["desktops", "sessions", "bcp", "receipts"] as const) {
    changes.listen(topic, () => told.push(topic));
  }
  const last = () => streams.at(-1) as Stream;
  return { changes, streams, told, check, last };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Changes", () => {
  it("tells of what it hears once, however often it comes, and of nothing it does not know", async () => {
    const { changes, told, last } = setUp();
    changes.setLoggedIn(true);
    last().say("open");
    for (let i = 0; i < 50; i += 1) {
      last().say("change", "desktops");
    }
    last().say("change", "something new");
    await vi.advanceTimersByTimeAsync(GATHER_MS);
    expect(told).toEqual(["desktops"]);
    expect(changes.live).toBe(true);
  });
  it("is open only while somebody is logged in and the page is seen", () => {
    const { changes, streams, last } = setUp();
    changes.setVisible(true);
    expect(streams).toHaveLength(0);
    changes.setLoggedIn(true);
    changes.setVisible(true);
    expect(streams).toHaveLength(1);
    changes.setVisible(false);
    expect(last().closed).toBe(true);
    changes.setVisible(true);
    expect(streams).toHaveLength(2);
    changes.setLoggedIn(false);
    expect(last().closed).toBe(true);
    vi.advanceTimersByTime(60 * 60_000);
    expect(streams).toHaveLength(2);
  });
  it("comes again later and later, asks whether the login is over, and starts anew after a success", async () => {
    const { changes, streams, check, last } = setUp();
    changes.setLoggedIn(true);
    for (const [wait, opened] of [
      [500, 2],
      [1_000, 3],
      [2_000, 4],
    ] as const) {
      last().say("error");
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(streams).toHaveLength(opened - 1);
      await vi.advanceTimersByTimeAsync(1);
      expect(streams).toHaveLength(opened);
    }
    expect(check).toHaveBeenCalledTimes(3);
    last().say("open");
    last().say("error");
    expect(check).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(500);
    expect(streams).toHaveLength(5);
  });
  it("lets the pages read again every few seconds while there is no stream, and no longer when there is one", async () => {
    const { changes, told, last } = setUp();
    changes.setLoggedIn(true);
    last().say("error");
    await vi.advanceTimersByTimeAsync(FALLBACK_MS + GATHER_MS);
    expect(told).toContain("desktops");
    last().say("open");
    await vi.advanceTimersByTimeAsync(GATHER_MS);
    told.length = 0;
    await vi.advanceTimersByTimeAsync(10 * FALLBACK_MS);
    expect(told).toEqual([]);
  });
  it("hears nothing more from a stream that it has given up", async () => {
    const { changes, told, streams, last } = setUp();
    changes.setLoggedIn(true);
    const old = last();
    old.say("error");
    await vi.advanceTimersByTimeAsync(500);
    told.length = 0;
    old.say("open");
    old.say("error");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(changes.live).toBe(false);
    expect(streams).toHaveLength(2);
    expect(told).toEqual([]);
  });
});
