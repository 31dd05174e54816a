import { describe, expect, it } from "vitest";
import { KEYSYM, characterCount, isCharacter, isModifier, numberEntry, textKeysyms } from "./keysyms";

describe("textKeysyms", () => {
  it("sends Latin-1 as is and all else as Unicode keysyms", () => {
    expect(textKeysyms("aé漢")).toEqual([0x61, 0xe9, 0x01006f22]);
  });
  it("keeps characters outside the basic plane whole", () => {
    expect(textKeysyms("𠮷")).toEqual([0x01020bb7]);
  });
  it("has one Return for each kind of line end, and Tab", () => {
    expect(textKeysyms("a\r\nb\rc\n\t")).toEqual([0x61, KEYSYM.Return, 0x62, KEYSYM.Return, 0x63, KEYSYM.Return, KEYSYM.Tab]);
  });
  it("drops control characters: they are no keys", () => {
    expect(textKeysyms("\u0000\u001b\u007f\u0085x")).toEqual([0x78]);
  });
});

describe("characterCount", () => {
  it("counts as people do", () => {
    expect(characterCount("𠮷野\r\n家")).toBe(4);
  });
});

describe("kinds of keysyms", () => {
  it("tells modifiers and characters", () => {
    expect([KEYSYM.ShiftL, KEYSYM.ControlL, KEYSYM.SuperL].every(isModifier)).toBe(true);
    expect(isModifier(KEYSYM.F1)).toBe(false);
    expect(isCharacter(0x61)).toBe(true);
    expect(isCharacter(0x01006f22)).toBe(true);
    expect(isCharacter(KEYSYM.Return)).toBe(false);
  });
});

describe("numberEntry", () => {
  it("spells a character by its number and ends with Enter", () => {
    expect(numberEntry(0x01006f22)).toEqual([
      [0x36, "Digit6"],
      [0x66, "KeyF"],
      [0x32, "Digit2"],
      [0x32, "Digit2"],
      [KEYSYM.Return, "Enter"],
    ]);
    expect(numberEntry(0xe9)?.length).toBe(3);
  });
  it("leaves alone what a keyboard has", () => {
    expect(numberEntry(0x61)).toBeNull();
    expect(numberEntry(KEYSYM.Return)).toBeNull();
  });
});
