import { describe, expect, it } from "vitest";
import { spoken } from "./speech";

const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

describe("a code on the telephone", () => {
  it("has a word of its own for every character that codes are made of", () => {
    for (const language of ["ja", "en"] as const) {
      const words = spoken(ALPHABET, language)[0]?.map((one) => one.word) ?? [];
      expect(new Set(words).size).toBe(ALPHABET.length);
      expect(words.some((word) => ALPHABET.includes(word))).toBe(false);
    }
  });
  it("keeps the groups", () => {
    expect(spoken("K7-Q2", "ja")).toEqual([
      [{ sign: "K", word: "キロ" }, { sign: "7", word: "数字のなな" }],
      [{ sign: "Q", word: "ケベック" }, { sign: "2", word: "数字のに" }],
    ]);
  });
});
