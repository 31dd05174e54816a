import { describe, expect, it } from "vitest";
import { maySeeConsole } from "../app/roles";
import { declaration, NOW, signature, status, waiting } from "./fixtures";
import { higherOfficials, isReader, isUnratified, mayBreakGlass, mayExtend, mayPropose, taskOf, tasks } from "./permission";

const official = { rank: 2, title_ja: "副市長", title_en: "Deputy mayor" };

describe("roles", () => {
  it("show the console to coordinators, approvers and auditors, and not to administrators alone", () => {
    for (const role of ["coordinator", "approver", "auditor"]) {
      expect(maySeeConsole([role]), role).toBe(true);
    }
    expect(maySeeConsole([])).toBe(false);
    expect(maySeeConsole(["admin"])).toBe(false);
  });
  it("let auditors read only", () => {
    expect(mayPropose(["auditor"])).toBe(false);
    expect(isReader(["auditor"])).toBe(true);
    expect(isReader(["auditor", "coordinator"])).toBe(false);
  });
  it("let only listed persons declare alone", () => {
    expect(mayBreakGlass({ roles: ["coordinator"], official: null, totp_fresh_until: null })).toBe(false);
    expect(mayBreakGlass({ roles: ["coordinator"], official, totp_fresh_until: null })).toBe(true);
    expect(mayBreakGlass({ roles: ["auditor"], official, totp_fresh_until: null })).toBe(false);
  });
});

describe("tasks", () => {
  const alone = declaration({ id: "dec_glass", break_glass: true, ends_at: "2026-07-03T06:00:00Z", may: ["ratify"] });
  const longer = declaration({
    id: "dec_longer",
    pending: { ends_at: "2026-07-09T00:00:00Z", digest: "d", lapses_at: "2026-07-03T03:10:00Z", person: "橋本 玲", seen_diff: null },
  });

  it("puts what I may sign first, then what lapses first", () => {
    const found = tasks(status({ active: [alone, longer], waiting: [waiting()] }), NOW);
    expect(found.map((one) => [one.kind, one.mine])).toEqual([
      ["ratify", true],
      ["extend_approve", false],
      ["approve", false],
    ]);
  });
  it("leaves out what has lapsed by our clock", () => {
    expect(tasks(status({ waiting: [waiting({ lapses_at: "2026-07-03T02:59:59Z" })] }), NOW)).toEqual([]);
  });
  it("knows a break-glass that somebody ratified", () => {
    const ratified = { ...alone, signatures: [signature({ role: "declared" }), signature({ role: "ratified" })] };
    expect(isUnratified(alone)).toBe(true);
    expect(isUnratified(ratified)).toBe(false);
    expect(taskOf(ratified, NOW)).toBeNull();
  });
  it("finds none for a declaration that has ended", () => {
    expect(taskOf(waiting({ state: "lapsed", may: [] }), NOW)).toBeNull();
    expect(taskOf(waiting({ may: ["approve"] }), NOW)).toMatchObject({ kind: "approve", mine: true });
  });
});

describe("mayExtend", () => {
  it("is for activations of two persons only", () => {
    const may = ["extend"] as const;
    expect(mayExtend(declaration({ may }))).toBe(true);
    expect(mayExtend(declaration({ may, drill: true }))).toBe(false);
    expect(mayExtend(declaration({ may, level: "alert" }))).toBe(false);
    expect(mayExtend(declaration({ may, break_glass: true }))).toBe(false);
    expect(mayExtend(declaration({ may: [] }))).toBe(false);
  });
});

describe("higherOfficials", () => {
  const officials = [
    { username: "c", rank: 3, title_ja: "危機管理監", title_en: "Head" },
    { username: "a", rank: 1, title_ja: "市長", title_en: "Mayor" },
    { username: "b", ...official },
  ];
  it("are those before me in the order, nobody for the first and for the unlisted", () => {
    expect(higherOfficials({ ...official, rank: 3 }, officials).map((one) => one.username)).toEqual(["a", "b"]);
    expect(higherOfficials({ ...official, rank: 1 }, officials)).toEqual([]);
    expect(higherOfficials(null, officials)).toEqual([]);
  });
});
