import { describe, expect, it } from "vitest";
import { JapaneseKeys, type KeyLike } from "./japaneseKeys";
import { KEYSYM } from "./keysyms";

function event(type: string, over: Partial<KeyLike>): KeyLike {
  return {
    type,
    key: "Unidentified",
    code: "",
    keyCode: 0,
    repeat: false,
    isComposing: false,
    shiftKey: false,
    timeStamp: 0,
    ...over,
  };
}
const ZENHAN = { kind: "tap", keysym: KEYSYM.ZenkakuHankaku, code: "Backquote" };

describe("half-width / full-width key", () => {
  it("is one press on Linux, which sends down and up", () => {
    const keys = new JapaneseKeys();
    const key = { key: "ZenkakuHankaku", code: "Backquote" };
    expect(keys.judge(event("keydown", { ...key, timeStamp: 1_000 }))).toEqual(ZENHAN);
    expect(keys.judge(event("keydown", { ...key, timeStamp: 1_500, repeat: true }))).toEqual({ kind: "swallow" });
    expect(keys.judge(event("keyup", { ...key, timeStamp: 1_600 }))).toEqual({ kind: "swallow" });
  });

  it("is one press on Windows, where down of one state comes with up of the other", () => {
    const keys = new JapaneseKeys();
    expect(keys.judge(event("keydown", { key: "Zenkaku", code: "Backquote", timeStamp: 1_000 }))).toEqual(ZENHAN);
    expect(keys.judge(event("keyup", { key: "Hankaku", code: "Backquote", timeStamp: 1_003 }))).toEqual({ kind: "swallow" });
    expect(keys.judge(event("keydown", { key: "Hankaku", code: "Backquote", timeStamp: 2_000 }))).toEqual(ZENHAN);
  });

  it("is a press each time when no key-up ever comes", () => {
    const keys = new JapaneseKeys();
    for (const timeStamp of [1_000, 1_400, 5_000]) {
      expect(keys.judge(event("keydown", { key: "Hankaku", code: "Backquote", timeStamp }))).toEqual(ZENHAN);
    }
  });

  it("is a press when only a key-up comes", () => {
    const keys = new JapaneseKeys();
    expect(keys.judge(event("keyup", { key: "Zenkaku", code: "Backquote", timeStamp: 9_000 }))).toEqual(ZENHAN);
  });

  it("is recognised as a bare Process and by its Windows key code", () => {
    expect(new JapaneseKeys().judge(event("keydown", { key: "Process", code: "Backquote", keyCode: 229 }))).toEqual(ZENHAN);
    expect(new JapaneseKeys().judge(event("keydown", { keyCode: 244 }))).toEqual(ZENHAN);
  });

  it("leaves the grave accent of a US keyboard alone", () => {
    expect(new JapaneseKeys().judge(event("keydown", { key: "`", code: "Backquote", keyCode: 192 }))).toEqual({ kind: "pass" });
    expect(new JapaneseKeys().judge(event("keydown", { key: "Dead", code: "Backquote", keyCode: 192 }))).toEqual({ kind: "pass" });
  });
});

describe("other Japanese keys", () => {
  it("sends one key for the kana key whatever name it has at the moment", () => {
    for (const key of ["KanaMode", "Hiragana", "Katakana", "Romaji"]) {
      const verdict = new JapaneseKeys().judge(event("keydown", { key, code: "KanaMode" }));
      expect(verdict).toEqual({ kind: "tap", keysym: KEYSYM.HiraganaKatakana, code: "KanaMode" });
    }
  });

  it("leaves 変換 and 無変換 to noVNC, which gets a proper release for them", () => {
    expect(new JapaneseKeys().judge(event("keydown", { key: "Convert", code: "Convert" }))).toEqual({ kind: "pass" });
    expect(new JapaneseKeys().judge(event("keydown", { key: "NonConvert", code: "NonConvert" }))).toEqual({ kind: "pass" });
  });

  it("tells the yen key from the ro key by its code", () => {
    const keys = new JapaneseKeys();
    const yen = { key: "¥", code: "IntlYen" };
    expect(keys.judge(event("keydown", yen))).toEqual({ kind: "replace", keysym: 0x5c, code: "IntlYen" });
    expect(keys.judge(event("keyup", yen))).toEqual({ kind: "replace", keysym: 0x5c, code: "IntlYen" });
    expect(keys.judge(event("keydown", { key: "\\", code: "IntlRo" }))).toEqual({ kind: "pass" });
  });

  it("asks for the shifted level of 0, which is を in kana mode, and releases the same key", () => {
    const keys = new JapaneseKeys();
    expect(keys.judge(event("keydown", { key: "0", code: "Digit0", shiftKey: true }))).toEqual({
      kind: "replace",
      keysym: KEYSYM.AsciiTilde,
      code: "Digit0",
    });
    // Shift may be up again when 0 is released.
    expect(keys.judge(event("keyup", { key: "0", code: "Digit0" }))).toEqual({
      kind: "replace",
      keysym: KEYSYM.AsciiTilde,
      code: "Digit0",
    });
    expect(keys.judge(event("keydown", { key: ")", code: "Digit0", shiftKey: true }))).toEqual({ kind: "pass" });
  });

  it("reports keys taken by the input method of this device", () => {
    expect(new JapaneseKeys().judge(event("keydown", { key: "Process", code: "KeyA", keyCode: 229 }))).toEqual({ kind: "ime" });
    expect(new JapaneseKeys().judge(event("keydown", { key: "a", code: "KeyA", isComposing: true }))).toEqual({ kind: "ime" });
  });
});
