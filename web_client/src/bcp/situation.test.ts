import { describe, expect, it } from "vitest";
import { declaration, NOW, status, waiting } from "./fixtures";
import { changes, inForce, overall, situationAt } from "./situation";

const whole = { kind: "tenant" as const, ids: [], text_ja: "全庁", text_en: "All" };

describe("situation", () => {
  const east = declaration({ level: "second" });
  const alert = declaration({ id: "dec_alert", level: "alert", scope: whole });
  const drill = declaration({ id: "dec_drill", level: "second", drill: true, scope: whole });

  it("is the highest real level anywhere; a drill never colours it", () => {
    expect(overall([alert, east], NOW)).toEqual({ level: "second", drill: false });
    expect(overall([drill], NOW)).toEqual({ level: "normal", drill: true });
    expect(overall([], NOW)).toEqual({ level: "normal", drill: false });
  });
  it("forgets what has reached its end, although the gateway has not said so yet", () => {
    expect(overall([declaration({ ends_at: "2026-07-03T03:00:00Z" })], NOW).level).toBe("normal");
  });
  it("holds for a place what covers it, itself or with the whole", () => {
    expect(situationAt("site", "east", [alert, east], NOW).level).toBe("second");
    expect(situationAt("site", "west", [alert, east], NOW).level).toBe("alert");
    expect(situationAt("department", "east", [east], NOW).level).toBe("normal");
  });
  it("lists the strongest first and drills last", () => {
    expect(inForce([drill, alert, east], NOW).map((one) => one.id)).toEqual(["dec_1", "dec_alert", "dec_drill"]);
  });
});

describe("changes", () => {
  const of = (before: Parameters<typeof status>[0], after: Parameters<typeof status>[0]) =>
    changes(status(before), status(after)).map(({ kind }) => kind);

  it("tell what began, ended, waits and settled", () => {
    expect(of({}, { active: [declaration()] })).toEqual(["began"]);
    expect(of({ active: [declaration()] }, {})).toEqual(["ended"]);
    expect(of({}, { waiting: [waiting()] })).toEqual(["waits"]);
    expect(of({ waiting: [waiting()] }, {})).toEqual(["settled"]);
  });
  it("say one thing when a waiting one is approved", () => {
    expect(of({ waiting: [waiting()] }, { active: [declaration({ id: "dec_2" })] })).toEqual(["began"]);
  });
  it("notice a new end, level or scope, and an extension that waits", () => {
    const before = { active: [declaration()] };
    expect(of(before, { active: [declaration({ ends_at: "2026-07-04T00:00:00Z" })] })).toEqual(["changed"]);
    expect(of(before, { active: [declaration({ level: "recovery" })] })).toEqual(["changed"]);
    const pending = { ends_at: "x", digest: "d", lapses_at: "y", person: "p", seen_diff: null };
    expect(of(before, { active: [declaration({ pending })] })).toEqual(["waits"]);
    expect(of(before, before)).toEqual([]);
  });
});
