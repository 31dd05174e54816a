import { describe, expect, it } from "vitest";
import { parsePath, pathOf } from "./router";

describe("routes (bug class reflected_param_login)", () => {
  it("knows its pages", () => {
    expect(parsePath("/")).toEqual({ page: "home" });
    expect(parsePath("/login")).toEqual({ page: "login" });
    expect(parsePath("/desktops/")).toEqual({ page: "desktops" });
    expect(parsePath("/account")).toEqual({ page: "account" });
    expect(parsePath("/vouch")).toEqual({ page: "vouch" });
    expect(parsePath("/view/ses_abc234")).toEqual({ page: "view", sessionId: "ses_abc234" });
    expect(parsePath("/bcp")).toEqual({ page: "bcp", view: { kind: "board" } });
    expect(parsePath("/bcp/drill/")).toEqual({ page: "bcp", view: { kind: "drill" } });
    expect(parsePath("/bcp/d/dec_abc234")).toEqual({ page: "bcp", view: { kind: "declaration", id: "dec_abc234" } });
  });
  it("takes nothing else for a session id", () => {
    for (const path of ["/view", "/view/../x", "/view/a%2Fb", "/view/<img>", "//evil.example/view/x/y", `/view/${"a".repeat(65)}`, "/bcp/x", "/bcp/d", "/bcp/d/<b>", "/bcp/d/a/b", "/bcp/declare/x", "/bcp/d/a/extend/b", "/bcp/plans/new/edit", "/bcp/plans/quake", "/bcp/plans/quake.2/x", "/bcp/plans/quake.2/edit/x", "/bcp/plans/<b>.1", "/bcp/d/a/x", "/bcp/reports/<b>", "/bcp/reports/a/b", "/bcp/drills/a", "/bcp/people/a", "/bcp/reports/a/people"]) {
      expect(parsePath(path)).toEqual({ page: "not-found" });
    }
  });
  it("only ever builds paths of our own origin", () => {
    for (const path of ["/", "/login", "/desktops", "/account", "/vouch", "/view/ses_1", "/bcp", "/bcp/declare", "/bcp/drill", "/bcp/break-glass", "/bcp/d/dec_1", "/bcp/d/dec_1/extend", "/bcp/plans", "/bcp/plans/new", "/bcp/plans/quake.2", "/bcp/plans/quake.2/edit", "/bcp/d/dec_1/people", "/bcp/reports", "/bcp/reports/rep_1", "/bcp/drills"]) {
      expect(pathOf(parsePath(path))).toBe(path);
    }
    expect(pathOf({ page: "not-found" })).toBe("/");
  });
});
