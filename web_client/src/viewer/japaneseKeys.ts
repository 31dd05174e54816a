/**
 * Pure: tells what a key event of a Japanese keyboard means. Counterpart: keyPipeline, which sends the keys.
 *
 * Browsers differ (design notes 4.1): 半角/全角 arrives as Zenkaku and Hankaku in turn, or as a bare Process, and on
 * Windows often without a key-up. So a change of state is one press: the pipeline presses, waits, releases.
 */
import { KEYSYM } from "./keysyms";

export interface KeyLike {
  readonly type: string;
  readonly key: string;
  readonly code: string;
  readonly keyCode: number;
  readonly repeat: boolean;
  readonly isComposing: boolean;
  readonly shiftKey: boolean;
  readonly timeStamp: number;
}

export type Verdict =
  /** Not ours: noVNC sends it. */
  | { readonly kind: "pass" }
  /** Belongs to a press already sent, or is a repeat of one. */
  | { readonly kind: "swallow" }
  /** Press now, release after a moment, whatever key-up comes. */
  | { readonly kind: "tap"; readonly keysym: number; readonly code: string }
  /** Send this keysym instead; press and release follow the real key. */
  | { readonly kind: "replace"; readonly keysym: number; readonly code: string }
  /** The input method on this device has taken the key. */
  | { readonly kind: "ime" };

interface Toggle {
  readonly keysym: number;
  readonly code: string;
}

// In both modes of Xvnc (symbols or raw key codes) these pairs reach the same key of the "jp" layout.
const ZENHAN: Toggle = { keysym: KEYSYM.ZenkakuHankaku, code: "Backquote" };
const KANA: Toggle = { keysym: KEYSYM.HiraganaKatakana, code: "KanaMode" };
const EISU: Toggle = { keysym: KEYSYM.EisuToggle, code: "CapsLock" };
const MAC_KANA: Toggle = { keysym: KEYSYM.Hiragana, code: "Lang1" };
const MAC_EISU: Toggle = { keysym: KEYSYM.EisuToggle, code: "Lang2" };

const BY_CODE: Readonly<Record<string, Toggle>> = { KanaMode: KANA, Lang1: MAC_KANA, Lang2: MAC_EISU, Lang5: ZENHAN };
const BY_KEY: Readonly<Record<string, Toggle>> = {
  Zenkaku: ZENHAN,
  Hankaku: ZENHAN,
  ZenkakuHankaku: ZENHAN,
  KanaMode: KANA,
  Hiragana: KANA,
  Katakana: KANA,
  HiraganaKatakana: KANA,
  Romaji: KANA,
  Alphanumeric: EISU,
  Eisu: EISU,
};

// Windows virtual-key codes of 半角/全角 when the browser has no name for the key.
const VK_ZENHAN = new Set([0x19, 243, 244]);
// A second event of the same press follows within this time; two presses by hand do not.
const SAME_PRESS_MS = 150;
// Held longer than this without a repeat, a key-up was lost.
const HELD_MS = 1_500;

export class JapaneseKeys {
  #held: Toggle | null = null;
  #lastTap = Number.NEGATIVE_INFINITY;
  #lastSeen = Number.NEGATIVE_INFINITY;
  readonly #replaced = new Map<string, number>();

  /** What to do with one keydown or keyup event. */
  judge(event: KeyLike): Verdict {
    const toggle = toggleOf(event);
    if (toggle !== null) {
      return this.#judgeToggle(toggle, event);
    }
    if (event.isComposing || event.key === "Process" || event.keyCode === 229) {
      return { kind: "ime" };
    }
    return this.#judgeReplacement(event);
  }

  #judgeToggle(toggle: Toggle, event: KeyLike): Verdict {
    const recently = event.timeStamp - this.#lastSeen < HELD_MS;
    const held = this.#held === toggle && recently;
    this.#lastSeen = event.timeStamp;
    if (event.type === "keyup") {
      this.#held = null;
      // Some browsers send only the key-up of the state that ended: then the press is told by it.
      return held || event.timeStamp - this.#lastTap < SAME_PRESS_MS ? { kind: "swallow" } : this.#tap(toggle, event);
    }
    if (event.repeat || event.timeStamp - this.#lastTap < SAME_PRESS_MS) {
      return { kind: "swallow" };
    }
    this.#held = toggle;
    return this.#tap(toggle, event);
  }

  #tap(toggle: Toggle, event: KeyLike): Verdict {
    this.#lastTap = event.timeStamp;
    return { kind: "tap", ...toggle };
  }

  #judgeReplacement(event: KeyLike): Verdict {
    const sent = this.#replaced.get(event.code);
    if (event.type === "keyup") {
      if (sent === undefined) {
        return { kind: "pass" };
      }
      this.#replaced.delete(event.code);
      return { kind: "replace", keysym: sent, code: event.code };
    }
    const keysym = sent ?? replacementOf(event);
    if (keysym === null) {
      return { kind: "pass" };
    }
    this.#replaced.set(event.code, keysym);
    return { kind: "replace", keysym, code: event.code };
  }

  /** Forgets held keys, after all of them were released. */
  reset(): void {
    this.#held = null;
    this.#replaced.clear();
  }
}

function toggleOf(event: KeyLike): Toggle | null {
  const byCode = BY_CODE[event.code];
  if (byCode !== undefined) {
    return byCode;
  }
  const byKey = BY_KEY[event.key];
  if (byKey !== undefined) {
    return byKey;
  }
  const nameless = event.key === "Process" || event.key === "Unidentified";
  const zenhan = event.code === "Backquote" || VK_ZENHAN.has(event.keyCode);
  return nameless && zenhan ? ZENHAN : null;
}

function replacementOf(event: KeyLike): number | null {
  if (event.code === "IntlYen" && event.key === "¥") {
    // macOS names the key by its print; every other system, and the far desktop, types a backslash with it.
    return KEYSYM.Backslash;
  }
  if (event.code === "Digit0" && event.shiftKey && event.key === "0") {
    // Shift+0 of a JIS keyboard has no symbol but is を in kana mode: ask for the symbol on that level of the "jp" layout.
    return KEYSYM.AsciiTilde;
  }
  return null;
}
