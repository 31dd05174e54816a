import { describe, expect, it } from "vitest";
import { judgeClose, retryDelay } from "./closing";

describe("judgeClose", () => {
  it("comes back after a drop and after a gateway that stops", () => {
    for (const code of [1001, 1005, 1006, 1012]) {
      expect(judgeClose(code, "").kind).toBe("retry");
    }
  });
  it.each([
    [4403, "", "denied"],
    [1008, "policy", "denied"],
    [4404, "", "not_found"],
    [4408, "idle", "idle"],
    [4408, "total_limit", "total_limit"],
    [4409, "taken_over", "taken_over"],
    [4410, "admin", "admin"],
    [4401, "signed_out", "signed_out"],
    [4411, "user_logged_out", "logged_off"],
    [4412, "preempted", "preempted"],
    [4422, "protocol_violation", "protocol"],
  ] as const)("never comes back by itself after %i %s", (code, reason, end) => {
    expect(judgeClose(code, reason)).toEqual({ kind: "over", end });
  });
  it("does not come back after a code of a newer gateway", () => {
    expect(judgeClose(4499, "something_new")).toEqual({ kind: "over", end: "failed" });
  });
  it("tries a failing desktop or a used ticket a few times only", () => {
    for (const code of [4401, 4502, 1013, 1011]) {
      expect(judgeClose(code, "").kind).toBe("doubtful");
    }
  });

  it("comes back, without hurry, to a gateway whose database is away", () => {
    expect(judgeClose(1013, "store_unavailable")).toEqual({ kind: "retry", answered: true });
  });
});

describe("retryDelay", () => {
  it("doubles from half a second to ten seconds", () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => retryDelay(attempt, 0.5))).toEqual([500, 1000, 2000, 4000, 8000, 10000, 10000]);
  });
  it("spreads by a fifth", () => {
    expect(retryDelay(2, 0)).toBe(1600);
    expect(retryDelay(2, 1)).toBe(2400);
  });
});
