import { describe, expect, it } from "vitest";
import { wholeTimes, wordsOf } from "./words";

describe("wordsOf", () => {
  it("parts a name before a Katakana word and before a bracket, and nowhere inside a word", () => {
    expect(wordsOf("インターネット用デスクトップ")).toEqual(["インターネット用", "デスクトップ"]);
    expect(wordsOf("住民記録端末(テレワーク不可)")).toEqual(["住民記録端末", "(テレワーク不可)"]);
    expect(wordsOf("災害対策本部 総務班（内線 2201）")).toEqual(["災害対策本部 総務班", "（内線 2201）"]);
    expect(wordsOf("サーバー・ルーム用")).toEqual(["サーバー・ルーム用"]);
  });
  it("leaves alone what breaks at its spaces, and loses nothing", () => {
    expect(wordsOf("Internet desktop (ext. 2201)")).toEqual(["Internet desktop (ext. 2201)"]);
    expect(wordsOf("")).toEqual([""]);
  });
});

describe("wholeTimes", () => {
  it("joins hours and minutes, and nothing else", () => {
    expect(wholeTimes("8時06分まで")).toBe("8時\u206006分まで");
    expect(wholeTimes("8時まで、2時間")).toBe("8時まで、2時間");
  });
});
