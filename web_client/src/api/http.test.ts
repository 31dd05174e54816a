import { afterEach, describe, expect, it, vi } from "vitest";
import { streamProtocols, streamUrl } from "./endpoints";
import { ApiError, NetworkError, request, setCsrfToken, setUnauthenticatedHandler, toProblem } from "./http";

afterEach(() => {
  vi.unstubAllGlobals();
  setCsrfToken(null);
});

function answer(status: number, body: string): void {
  vi.stubGlobal("fetch", vi.fn(async () => new Response(status === 204 ? null : body, { status })));
}

function sent(): RequestInit {
  return vi.mocked(fetch).mock.calls[0]?.[1] ?? {};
}

describe("request", () => {
  it("sends the CSRF token with unsafe methods only, never cached, never redirected", async () => {
    setCsrfToken("secret");
    answer(200, "{}");
    await request("GET", "/me");
    expect(sent()).toMatchObject({ cache: "no-store", redirect: "error", credentials: "same-origin" });
    expect(sent().headers).not.toHaveProperty("X-CSRF-Token");
    answer(204, "");
    expect(await request("POST", "/logout", {})).toBeUndefined();
    expect(sent().headers).toMatchObject({ "X-CSRF-Token": "secret" });
  });

  it("gives the gateway's own words for a refusal", async () => {
    answer(409, JSON.stringify({ code: "full", text_ja: "満席です。", text_en: "Full." }));
    const failure = await request("GET", "/x").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect((failure as ApiError).problem).toMatchObject({ code: "full", text_ja: "満席です。", status: 409 });
  });

  it("says so when the log-in is gone, unless the caller expects it", async () => {
    const gone = vi.fn();
    setUnauthenticatedHandler(gone);
    answer(401, "{}");
    await request("GET", "/me", undefined, { quiet401: true }).catch(() => undefined);
    expect(gone).not.toHaveBeenCalled();
    await request("GET", "/desktops").catch(() => undefined);
    expect(gone).toHaveBeenCalledOnce();
  });

  it("takes over a token that another tab renewed, once, and asks nobody when it is the same", async () => {
    setCsrfToken("old");
    const answers = [
      new Response("{}", { status: 403 }),
      new Response(JSON.stringify({ csrf_token: "new" }), { status: 200 }),
      new Response(JSON.stringify({ done: true }), { status: 200 }),
    ];
    vi.stubGlobal("fetch", vi.fn(async () => answers.shift() ?? new Response("{}", { status: 500 })));
    expect(await request("POST", "/x", {})).toEqual({ done: true });
    expect(vi.mocked(fetch).mock.calls[2]?.[1]?.headers).toMatchObject({ "X-CSRF-Token": "new" });
    const same = [new Response("{}", { status: 403 }), new Response(JSON.stringify({ csrf_token: "new" }), { status: 200 })];
    vi.stubGlobal("fetch", vi.fn(async () => same.shift() ?? new Response("{}", { status: 500 })));
    await expect(request("POST", "/x", {})).rejects.toMatchObject({ status: 403 });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("marks what the page asks by itself, and asks once more when the login was renewed meanwhile", async () => {
    const gone = vi.fn();
    setUnauthenticatedHandler(gone);
    const answers = [new Response("{}", { status: 401 }), new Response("{}", { status: 200 })];
    vi.stubGlobal("fetch", vi.fn(async () => answers.shift()));
    await request("GET", "/desktops", undefined, { background: true });
    expect(sent().headers).toMatchObject({ "X-Background": "1" });
    expect(gone).not.toHaveBeenCalled();
    answer(401, "{}");
    await request("GET", "/desktops", undefined, { background: true }).catch(() => undefined);
    expect(gone).toHaveBeenCalledOnce();
  });

  it("leaves the cookie out of what is public", async () => {
    answer(200, "{}");
    await request("GET", "/notice", undefined, { anonymous: true });
    expect(sent()).toMatchObject({ credentials: "omit" });
  });

  it("tells a network failure from a refusal", async () => {
    vi.stubGlobal("fetch", vi.fn(async () => Promise.reject(new TypeError("Failed to fetch"))));
    await expect(request("GET", "/me")).rejects.toBeInstanceOf(NetworkError);
  });
});

describe("toProblem", () => {
  it("makes a readable problem of a proxy's HTML page", () => {
    const problem = toProblem(502, "<html><script>alert(1)</script></html>");
    expect(problem.code).toBe("http_502");
    expect(problem.text_ja).toContain("502");
    expect(problem.text_ja).not.toContain("script");
  });
});

describe("stream address", () => {
  it("has no ticket in it: tickets travel in the subprotocol list", () => {
    expect(streamUrl("ses_1", "https://gw.example")).toBe("wss://gw.example/api/v1/sessions/ses_1/rfb");
    expect(streamProtocols("abc")).toEqual(["binary", "kakehashi.ticket.abc"]);
  });
});
