/**
 * Pure: X keysyms of the keys we send ourselves (X11 keysymdef.h) and of text.
 * noVNC has a full table but does not export it; these are the ones its users press on our key bar.
 */

export const KEYSYM = {
  BackSpace: 0xff08,
  Tab: 0xff09,
  Return: 0xff0d,
  Escape: 0xff1b,
  Delete: 0xffff,
  Home: 0xff50,
  Left: 0xff51,
  Up: 0xff52,
  Right: 0xff53,
  Down: 0xff54,
  PageUp: 0xff55,
  PageDown: 0xff56,
  End: 0xff57,
  Muhenkan: 0xff22,
  Henkan: 0xff23,
  Hiragana: 0xff25,
  HiraganaKatakana: 0xff27,
  ZenkakuHankaku: 0xff2a,
  EisuToggle: 0xff30,
  F1: 0xffbe,
  ShiftL: 0xffe1,
  ControlL: 0xffe3,
  ControlR: 0xffe4,
  AltL: 0xffe9,
  AltR: 0xffea,
  SuperL: 0xffeb,
  Backslash: 0x5c,
  AsciiTilde: 0x7e,
  UpperU: 0x55,
} as const;

/** True for Shift, Ctrl, Caps Lock, Meta, Alt, Super, Hyper and the ISO level shifts. */
export function isModifier(keysym: number): boolean {
  return (keysym >= 0xffe1 && keysym <= 0xffee) || (keysym >= 0xfe01 && keysym <= 0xfe0f) || keysym === 0xff7e;
}

/** True when the keysym stands for a character, not for a key such as F1 or Return. */
export function isCharacter(keysym: number): boolean {
  return keysym < 0xfd00 || keysym >= 0x01000000;
}

/** Keysyms for a text, one a character (RFC 6143 7.5.4: Latin-1 as is, all others 0x01000000 + code point). */
export function textKeysyms(text: string): number[] {
  const keysyms: number[] = [];
  for (const character of text.replace(/\r\n?/g, "\n")) {
    const keysym = characterKeysym(character);
    if (keysym !== null) {
      keysyms.push(keysym);
    }
  }
  return keysyms;
}

function characterKeysym(character: string): number | null {
  const point = character.codePointAt(0) ?? 0;
  if (character === "\n") {
    return KEYSYM.Return;
  }
  if (character === "\t") {
    return KEYSYM.Tab;
  }
  if ((point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff)) {
    return point;
  }
  // Other control characters have no key.
  return point < 0xa0 ? null : 0x01000000 + point;
}

/** One key of a sequence: keysym and the code of its place on the keyboard, which is the same on JIS and US boards. */
export type KeyStroke = readonly [keysym: number, code: string];

/**
 * Keys that enter one character by its number: hexadecimal digits between Ctrl+Shift+U (sent apart) and Enter. GTK,
 * fcitx5 and IBus all take it. Null for what a keyboard can type itself.
 */
export function numberEntry(keysym: number): readonly KeyStroke[] | null {
  const point = keysym >= 0x01000000 ? keysym - 0x01000000 : keysym >= 0xa0 && keysym <= 0xff ? keysym : null;
  if (point === null) {
    return null;
  }
  const digits = [...point.toString(16)].map((digit): KeyStroke => [
    digit.charCodeAt(0),
    /\d/.test(digit) ? `Digit${digit}` : `Key${digit.toUpperCase()}`,
  ]);
  return [...digits, [KEYSYM.Return, "Enter"]];
}

/** Length as people count it: one for 𠮷, not two. Line ends count as one. */
export function characterCount(text: string): number {
  return Array.from(text.replace(/\r\n?/g, "\n")).length;
}
