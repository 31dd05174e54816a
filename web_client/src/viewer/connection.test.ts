import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, NetworkError } from "../api/http";
import type { SessionInfo, SessionState } from "../api/types";
import type { Channel, RawSocket } from "./channel";
import { ViewerConnection, type ConnectionDeps, type ScreenEvents } from "./connection";

function info(state: SessionState, over: Partial<SessionInfo> = {}): SessionInfo {
  return {
    id: "ses_1",
    pool_id: "std",
    name_ja: "標準",
    name_en: "Standard",
    state,
    stage_ja: null,
    stage_en: null,
    end_reason: null,
    end_text_ja: null,
    end_text_en: null,
    short_code: "K7Q2",
    created_at: "2026-07-03T00:00:00Z",
    active_seconds: 0,
    obligations: {
      clipboard_in_chars: 0,
      clipboard_out_chars: 0,
      view_only: false,
      watermark: true,
      idle_limit_seconds: 900,
      total_limit_seconds: 28_800,
      quality: "standard",
    },
    expires_at: null,
    ...over,
  };
}

function refusal(status: number): ApiError {
  return new ApiError({ code: "x", title: "x", status, text_ja: "", text_en: "" });
}

/** A gateway whose answers the test writes down; the stream's end is told by hand. */
class Scene {
  states: (SessionInfo | Error)[] = [info("ready")];
  tickets = 0;
  opened: { readonly ticket: string; readonly channel: Channel; readonly events: ScreenEvents }[] = [];
  reachable = false;
  told = false;
  present = true;
  #ticket = "";
  readonly connection: ViewerConnection;

  constructor() {
    const deps: ConnectionDeps = {
      get: () => this.#next(),
      ticket: () => {
        this.tickets += 1;
        return Promise.resolve({ ticket: `t${this.tickets}`, expires_in_seconds: 30 });
      },
      openSocket: (_id, ticket) => {
        this.#ticket = ticket;
        return { send() {}, close() {}, binaryType: "arraybuffer", protocol: "binary", readyState: 1, onopen: null, onmessage: null, onclose: null, onerror: null } as RawSocket;
      },
      openScreen: (channel, _info, events) => {
        this.opened.push({ ticket: this.#ticket, channel, events });
        return { close: () => undefined };
      },
      probe: () => Promise.resolve(this.reachable),
      told: () => this.told,
      present: () => this.present,
      online: () => this.reachable,
      now: () => Date.now(),
      random: () => 0.5,
    };
    this.connection = new ViewerConnection("ses_1", deps);
  }

  #next(): Promise<SessionInfo> {
    const answer = this.states.length > 1 ? this.states.shift() : this.states[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? info("ready"));
  }

  get last() {
    const opened = this.opened.at(-1);
    if (opened === undefined) {
      throw new Error("no stream was opened");
    }
    return opened;
  }

  close(code: number, reason = ""): void {
    // The channel hands the end of its socket to onEnd.
    this.last.channel.onEnd({ code, reason });
  }

  get phase() {
    return this.connection.state.phase;
  }
}

async function connected(): Promise<Scene> {
  const scene = new Scene();
  void scene.connection.run();
  await vi.advanceTimersByTimeAsync(0);
  scene.last.events.onConnected();
  return scene;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("start", () => {
  it("polls each 400 ms until the desktop is ready, then connects with a ticket", async () => {
    const scene = new Scene();
    scene.states = [info("requested"), info("queued"), info("starting"), info("ready")];
    void scene.connection.run();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.phase.kind).toBe("preparing");
    await vi.advanceTimersByTimeAsync(1_200);
    expect(scene.phase.kind).toBe("connecting");
    expect(scene.last.ticket).toBe("t1");
    scene.last.events.onConnected();
    expect(scene.phase).toMatchObject({ kind: "connected", again: false });
  });

  it("leaves a held seat alone while nobody sees the page, and takes it when somebody does", async () => {
    const scene = new Scene();
    const queue = { place: 1, ahead: 0, estimate_seconds: null, reason: "seat", priority: "P4" } as const;
    const held = info("ready", { held_until: "2026-11-25T00:02:00Z" });
    scene.present = false;
    scene.states = [info("queued", { queue }), held];
    void scene.connection.run();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scene.opened).toHaveLength(0);
    expect(scene.phase.kind).toBe("preparing");
    scene.present = true;
    scene.connection.lookAgain();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.opened).toHaveLength(1);
  });

  it("connects at once in a hidden page that did not have to wait", async () => {
    const scene = new Scene();
    scene.present = false;
    scene.states = [info("starting"), info("ready", { held_until: "2026-11-25T00:02:00Z" })];
    void scene.connection.run();
    await vi.advanceTimersByTimeAsync(400);
    expect(scene.opened).toHaveLength(1);
  });

  it("does not open a desktop that gave its seat up", async () => {
    const scene = new Scene();
    scene.states = [info("parked", { end_reason: "preempted" })];
    void scene.connection.run();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.phase).toMatchObject({ kind: "over", end: "preempted" });
    expect(scene.tickets).toBe(0);
  });

  it("asks seldom while it is told of changes, and at once when it is told, also of what happened during a question", async () => {
    const scene = new Scene();
    scene.told = true;
    scene.states = [info("queued"), info("queued"), info("starting"), info("ready")];
    void scene.connection.run();
    await vi.advanceTimersByTimeAsync(1_900);
    expect(scene.states).toHaveLength(3);
    scene.connection.lookAgain();
    scene.connection.lookAgain();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.states).toHaveLength(2);
    scene.connection.lookAgain();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.connection.state.info?.state).toBe("starting");
    scene.connection.lookAgain();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.phase.kind).toBe("connecting");
  });

  it("shows the end of a session that is over already", async () => {
    const scene = new Scene();
    scene.states = [info("ended", { end_reason: "admin" })];
    await scene.connection.run();
    expect(scene.phase).toMatchObject({ kind: "over", end: "admin" });
    expect(scene.opened).toHaveLength(0);
  });

  it.each([
    [401, "signed_out"],
    [403, "denied"],
    [404, "not_found"],
  ] as const)("ends on HTTP %i", async (status, end) => {
    const scene = new Scene();
    scene.states = [refusal(status)];
    await scene.connection.run();
    expect(scene.phase).toMatchObject({ kind: "over", end });
  });
});

describe("after a drop", () => {
  it("comes back with a new ticket each time, waiting 0.5, 1, 2 s", async () => {
    const scene = await connected();
    scene.close(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.phase).toMatchObject({ kind: "waiting", attempt: 1 });
    await vi.advanceTimersByTimeAsync(500);
    expect(scene.last.ticket).toBe("t2");
    scene.close(1006);
    await vi.advanceTimersByTimeAsync(999);
    expect(scene.tickets).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(scene.tickets).toBe(3);
    scene.last.events.onConnected();
    expect(scene.phase).toMatchObject({ kind: "connected", again: true });
  });

  it("is back within 3 s of the line although the wait has grown to 10 s", async () => {
    const scene = await connected();
    scene.states = [new NetworkError(false)];
    scene.close(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    scene.reachable = true;
    scene.states = [info("disconnected")];
    const before = scene.tickets;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(scene.tickets).toBe(before + 1);
  });

  it("tries at once when the browser says that the network is back", async () => {
    const scene = await connected();
    scene.states = [new NetworkError(false)];
    scene.close(1006);
    await vi.advanceTimersByTimeAsync(20_000);
    scene.states = [info("disconnected")];
    const before = scene.tickets;
    scene.connection.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.tickets).toBe(before + 1);
  });

  it("keeps coming back while the gateway's database is away, and asks no faster because it answers", async () => {
    const scene = new Scene();
    scene.reachable = true;
    const away = new ApiError({ code: "store_unavailable", title: "x", status: 503, text_ja: "", text_en: "" });
    scene.states = [...Array.from({ length: 30 }, () => away), info("ready")];
    void scene.connection.run();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(scene.states.length).toBeGreaterThan(5);
    expect(scene.connection.state.phase).toMatchObject({ kind: "waiting", answered: true });
    await vi.advanceTimersByTimeAsync(200_000);
    expect(scene.tickets).toBeGreaterThan(0);
  });

  it("stops after half an hour", async () => {
    const scene = await connected();
    scene.states = [new NetworkError(false)];
    scene.close(1006);
    await vi.advanceTimersByTimeAsync(31 * 60_000);
    expect(scene.phase).toMatchObject({ kind: "over", end: "stopped" });
  });

  it("never steals the desktop back: not after a take-over, not when another device holds it", async () => {
    const scene = await connected();
    scene.close(4409, "taken_over");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(scene.phase).toMatchObject({ kind: "over", end: "taken_over" });
    expect(scene.tickets).toBe(1);

    const other = await connected();
    other.states = [info("active", { held_elsewhere: true })];
    other.close(1006);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(other.phase).toMatchObject({ kind: "over", end: "taken_over" });
    expect(other.tickets).toBe(1);
  });

  it("believes a failing desktop after four tries", async () => {
    const scene = await connected();
    for (let index = 0; index < 4; index += 1) {
      scene.close(4502, "target_unreachable");
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(scene.phase).toMatchObject({ kind: "over", end: "failed" });
  });
});

describe("leaving", () => {
  it("ends as disconnected, with the working time read once more", async () => {
    const scene = await connected();
    scene.states = [info("disconnected", { active_seconds: 125 })];
    scene.connection.disconnect();
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.phase).toMatchObject({ kind: "over", end: "disconnected" });
    expect(scene.connection.state.info?.active_seconds).toBe(125);
  });

  it("can be left while the line is down", async () => {
    const scene = await connected();
    scene.states = [new NetworkError(false)];
    scene.close(1006);
    await vi.advanceTimersByTimeAsync(0);
    scene.connection.disconnect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(scene.phase).toMatchObject({ kind: "over", end: "disconnected" });
    expect(scene.tickets).toBe(1);
  });

  it("does nothing more once the page is gone", async () => {
    const scene = await connected();
    scene.connection.dispose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(scene.tickets).toBe(1);
  });
});
