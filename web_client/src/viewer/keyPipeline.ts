/**
 * Everything that goes to the desktop as keys: the hardware keyboard in front of noVNC, the key bar, sent text.
 * Counterpart: noVNC's own keyboard, which handles the ordinary keys. Keeps track of what is down, so that nothing
 * stays pressed on the desktop when the focus leaves. Must not keep or log what was typed.
 */
import { JapaneseKeys, type Verdict } from "./japaneseKeys";
import { KEYSYM, isCharacter, isModifier, numberEntry, textKeysyms } from "./keysyms";

export type LocalLayout = "jis" | "us";
/**
 * How characters no keyboard has reach the desktop. An X server learns only some twenty new symbols before its
 * keyboard map is full (measured: 17 on TigerVNC with the "jp" map), so our own desktops get the character's number.
 */
export type TextEntry = "number" | "symbol";
export type StickyKey = "ctrl" | "alt" | "shift" | "win";

export const STICKY: Readonly<Record<StickyKey, { readonly keysym: number; readonly code: string }>> = {
  ctrl: { keysym: KEYSYM.ControlL, code: "ControlLeft" },
  alt: { keysym: KEYSYM.AltL, code: "AltLeft" },
  shift: { keysym: KEYSYM.ShiftL, code: "ShiftLeft" },
  win: { keysym: KEYSYM.SuperL, code: "MetaLeft" },
};

/** The far input method needs to see a key held for a moment. */
const TAP_MS = 100;
/** Key presses of sent text between two pauses. */
const TYPE_BATCH = 12;
const TYPE_PAUSE_MS = 30;

/** What we use of noVNC here. */
export interface KeySink {
  sendKey(keysym: number | null, code: string | null | undefined, down?: boolean): void;
}

export interface KeyCallbacks {
  readonly onEscape: () => void;
  readonly onLocalIme: () => void;
  readonly onSticky: (held: ReadonlySet<StickyKey>) => void;
}

const REPEAT_FILTER = new Set(["ShiftLeft", "ShiftRight", "ControlLeft", "ControlRight", "AltLeft", "AltRight", "MetaLeft", "MetaRight"]);

export class KeyPipeline {
  layout: LocalLayout = "jis";
  textEntry: TextEntry = "symbol";
  readonly #rfb: KeySink;
  readonly #send: KeySink["sendKey"];
  readonly #callbacks: KeyCallbacks;
  readonly #japanese = new JapaneseKeys();
  readonly #pressed = new Set<string>();
  readonly #sticky = new Set<StickyKey>();
  #releasing = false;
  #canvas: HTMLElement | null = null;
  #detach: () => void = () => undefined;

  constructor(rfb: KeySink, callbacks: KeyCallbacks) {
    this.#rfb = rfb;
    this.#callbacks = callbacks;
    this.#send = rfb.sendKey.bind(rfb);
    // noVNC calls its own public sendKey for every key: the one place all keys pass.
    rfb.sendKey = (keysym, code, down) => this.#forward(keysym, code, down);
  }

  /** Listens in front of noVNC: `host` is an ancestor of its canvas. */
  attach(host: HTMLElement, canvas: HTMLElement): void {
    this.#canvas = canvas;
    const onKey = (event: KeyboardEvent) => this.#onKey(event);
    const release = () => this.releaseAll();
    const onVisibility = () => {
      if (document.visibilityState === "hidden") {
        release();
      }
    };
    host.addEventListener("keydown", onKey, true);
    host.addEventListener("keyup", onKey, true);
    canvas.addEventListener("blur", release);
    window.addEventListener("blur", release);
    document.addEventListener("visibilitychange", onVisibility);
    this.#detach = () => {
      host.removeEventListener("keydown", onKey, true);
      host.removeEventListener("keyup", onKey, true);
      canvas.removeEventListener("blur", release);
      window.removeEventListener("blur", release);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }

  detach(): void {
    this.#detach();
    this.#canvas = null;
  }

  /** Presses and releases one key; with `hold` it stays down long enough for the far input method. */
  tap(keysym: number, code: string | null, hold = false): void {
    this.#rfb.sendKey(keysym, code, true);
    if (hold) {
      window.setTimeout(() => this.#rfb.sendKey(keysym, code, false), TAP_MS);
    } else {
      this.#rfb.sendKey(keysym, code, false);
    }
  }

  /** Presses several keys in order and releases them in reverse order, e.g. Ctrl+Alt+Del. */
  chord(keys: readonly (readonly [number, string])[]): void {
    for (const [keysym, code] of keys) {
      this.#send(keysym, code, true);
    }
    for (const [keysym, code] of [...keys].reverse()) {
      this.#send(keysym, code, false);
    }
  }

  ctrlAltDel(): void {
    this.chord([
      [KEYSYM.ControlL, "ControlLeft"],
      [KEYSYM.AltL, "AltLeft"],
      [KEYSYM.Delete, "Delete"],
    ]);
  }

  toggleSticky(key: StickyKey): void {
    const { keysym, code } = STICKY[key];
    const down = !this.#sticky.delete(key);
    if (down) {
      this.#sticky.add(key);
    }
    this.#send(keysym, code, down);
    this.#callbacks.onSticky(new Set(this.#sticky));
  }

  /** Types a text as single key presses. Pauses between small batches, so that the desktop keeps up. */
  async typeText(text: string, onProgress: (done: number, total: number) => void, signal: AbortSignal): Promise<void> {
    const keysyms = textKeysyms(text);
    let sent = 0;
    for (const [index, keysym] of keysyms.entries()) {
      if (signal.aborted) {
        return;
      }
      sent += this.typeSymbol(keysym);
      if (sent >= TYPE_BATCH || index === keysyms.length - 1) {
        sent = 0;
        onProgress(index + 1, keysyms.length);
        await new Promise((resolve) => window.setTimeout(resolve, TYPE_PAUSE_MS));
      }
    }
  }

  /** Types one character (or Return, Tab); returns the number of keys it took. */
  typeSymbol(keysym: number): number {
    const entry = this.textEntry === "number" ? numberEntry(keysym) : null;
    if (entry === null) {
      this.tap(keysym, null);
      return 1;
    }
    this.chord([
      [KEYSYM.ControlL, "ControlLeft"],
      [KEYSYM.ShiftL, "ShiftLeft"],
      [KEYSYM.UpperU, "KeyU"],
    ]);
    for (const [digit, code] of entry) {
      this.tap(digit, code);
    }
    return entry.length + 3;
  }

  /** Releases every key that is down on the desktop: the key-ups would be lost once the focus is elsewhere. */
  releaseAll(): void {
    this.#releasing = true;
    for (const code of this.#pressed) {
      // noVNC keeps its own list of held keys, which only a key-up event clears.
      this.#canvas?.dispatchEvent(new KeyboardEvent("keyup", { code, key: "Unidentified" }));
    }
    this.#pressed.clear();
    this.#japanese.reset();
    this.#releasing = false;
    this.#releaseSticky();
  }

  #forward(keysym: number | null, code: string | null | undefined, down?: boolean): void {
    if (down === undefined) {
      this.#forward(keysym, code, true);
      this.#forward(keysym, code, false);
      return;
    }
    // With a US keyboard in front of a Japanese desktop the position of a key says nothing about its character.
    const symbolOnly = this.layout === "us" && keysym !== null && isCharacter(keysym);
    this.#send(keysym, symbolOnly ? null : code, down);
    if (!down && this.#sticky.size > 0 && keysym !== null && !isModifier(keysym)) {
      this.#releaseSticky();
    }
  }

  #releaseSticky(): void {
    if (this.#sticky.size === 0) {
      return;
    }
    for (const key of this.#sticky) {
      this.#send(STICKY[key].keysym, STICKY[key].code, false);
    }
    this.#sticky.clear();
    this.#callbacks.onSticky(new Set());
  }

  #onKey(event: KeyboardEvent): void {
    if (this.#releasing || event.target !== this.#canvas) {
      return;
    }
    if (this.#isOurs(event)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (event.type === "keydown") {
      this.#pressed.add(event.code);
    } else {
      this.#pressed.delete(event.code);
    }
  }

  /** Deals with the keys noVNC must not see. */
  #isOurs(event: KeyboardEvent): boolean {
    return this.#shortcut(event) || this.#apply(this.#japanese.judge(event), event) || this.#isModifierRepeat(event);
  }

  #isModifierRepeat(event: KeyboardEvent): boolean {
    return event.type === "keydown" && event.repeat && REPEAT_FILTER.has(event.code);
  }

  #shortcut(event: KeyboardEvent): boolean {
    if (event.type !== "keydown") {
      return false;
    }
    if (isEscape(event)) {
      this.releaseAll();
      this.#callbacks.onEscape();
      return true;
    }
    if (event.ctrlKey && event.altKey && !event.shiftKey && (event.code === "End" || event.code === "Backspace")) {
      // Ctrl and Alt are down on the desktop already.
      this.#send(KEYSYM.Delete, "Delete", true);
      this.#send(KEYSYM.Delete, "Delete", false);
      return true;
    }
    const pair = event.code === "ControlRight" ? "AltRight" : event.code === "AltRight" ? "ControlRight" : null;
    if (pair !== null && this.#pressed.has(pair)) {
      this.releaseAll();
      this.chord([[KEYSYM.SuperL, "MetaLeft"]]);
      return true;
    }
    return false;
  }

  #apply(verdict: Verdict, event: KeyboardEvent): boolean {
    switch (verdict.kind) {
      case "pass":
        return false;
      case "swallow":
        return true;
      case "tap":
        this.tap(verdict.keysym, verdict.code, true);
        return true;
      case "replace":
        this.#rfb.sendKey(verdict.keysym, verdict.code, event.type === "keydown");
        return true;
      case "ime":
        if (event.type === "keydown") {
          this.#callbacks.onLocalIme();
        }
        return true;
    }
  }
}

/** Ctrl+Alt+Shift+Enter: no browser and no desktop environment we know uses it. */
export function isEscape(event: Pick<KeyboardEvent, "ctrlKey" | "altKey" | "shiftKey" | "code">): boolean {
  return event.ctrlKey && event.altKey && event.shiftKey && (event.code === "Enter" || event.code === "NumpadEnter");
}

interface KeyboardLayout {
  getLayoutMap(): Promise<ReadonlyMap<string, string>>;
}

/** The layout of the keyboard on this device: asked where the browser tells (Chromium), else by its language. */
export async function detectLayout(): Promise<LocalLayout> {
  const { keyboard } = navigator as Navigator & { readonly keyboard?: Partial<KeyboardLayout> };
  try {
    const map = await keyboard?.getLayoutMap?.();
    const bracket = map?.get("BracketLeft");
    if (bracket !== undefined) {
      return bracket === "@" ? "jis" : "us";
    }
  } catch {
    // Not allowed here: the language is the next best hint.
  }
  return navigator.language.toLowerCase().startsWith("ja") ? "jis" : "us";
}
