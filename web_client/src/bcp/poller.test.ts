import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Poller } from "./poller";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function setUp(load: (signal: AbortSignal) => Promise<number>) {
  const values: number[] = [];
  const errors: unknown[] = [];
  const poller = new Poller({ load, onValue: (value) => values.push(value), onError: (error) => errors.push(error) }, 5_000);
  return { poller, values, errors };
}

describe("Poller", () => {
  it("asks again each interval, also after a failure", async () => {
    let round = 0;
    const { poller, values, errors } = setUp(() => {
      round += 1;
      return round === 2 ? Promise.reject(new Error("line")) : Promise.resolve(round);
    });
    await poller.ask();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(values).toEqual([1, 3]);
    expect(errors).toHaveLength(1);
  });
  it("drops a question under way when it is held, and asks nothing until all reasons are gone", async () => {
    let aborted = false;
    let round = 0;
    const { poller, values } = setUp((signal) => {
      round += 1;
      return round > 1
        ? Promise.resolve(round)
        : new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              aborted = true;
              reject(new Error("aborted"));
            });
          });
    });
    const asking = poller.ask();
    poller.hold("signing");
    poller.hold("hidden");
    await asking;
    expect(aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    poller.release("signing");
    await poller.ask();
    expect(values).toEqual([]);
    expect(poller.running).toBe(false);
    poller.release("hidden");
    await vi.advanceTimersByTimeAsync(0);
    expect(values).toEqual([2]);
  });
  it("does not ask twice when a reason is released that was not held", async () => {
    const load = vi.fn(async () => 1);
    const { poller } = setUp(load);
    poller.release("hidden");
    await vi.advanceTimersByTimeAsync(0);
    expect(load).not.toHaveBeenCalled();
  });
});
