/**
 * An unseen text field that brings up the tablet's own keyboard. What is typed there, converted Japanese included,
 * goes to the desktop as key presses; the field itself is emptied at once.
 */
import { useRef, type KeyboardEvent as ReactKeyboardEvent, type Ref } from "react";
import { KEYSYM, textKeysyms } from "./keysyms";
import type { Viewer } from "./useViewer";

// Android reports a backspace only when there is something to delete.
const FILLER = "\u200b\u200b";

const NAMED: Readonly<Record<string, number>> = {
  Enter: KEYSYM.Return,
  Tab: KEYSYM.Tab,
  Escape: KEYSYM.Escape,
  Backspace: KEYSYM.BackSpace,
  Delete: KEYSYM.Delete,
  ArrowLeft: KEYSYM.Left,
  ArrowRight: KEYSYM.Right,
  ArrowUp: KEYSYM.Up,
  ArrowDown: KEYSYM.Down,
};

interface SoftKeyboardProps {
  readonly ref: Ref<HTMLTextAreaElement>;
  readonly viewer: Viewer;
  readonly label: string;
}

export function SoftKeyboard({ ref, viewer, label }: SoftKeyboardProps) {
  const composing = useRef(false);
  const send = (keysym: number) => viewer.screen.current?.keys.tap(keysym, null);
  const flush = (field: HTMLTextAreaElement) => {
    for (const keysym of textKeysyms(field.value.replaceAll("\u200b", ""))) {
      viewer.screen.current?.keys.typeSymbol(keysym);
    }
    field.value = FILLER;
    field.setSelectionRange(FILLER.length, FILLER.length);
  };
  const onKeyDown = (event: ReactKeyboardEvent<HTMLTextAreaElement>) => {
    const keysym = NAMED[event.key];
    if (keysym !== undefined && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send(keysym);
    }
  };
  return (
    <textarea
      ref={ref}
      className="soft-field"
      aria-label={label}
      tabIndex={-1}
      defaultValue={FILLER}
      autoCapitalize="off"
      autoComplete="off"
      autoCorrect="off"
      spellCheck={false}
      data-testid="soft-keyboard"
      onKeyDown={onKeyDown}
      onCompositionStart={() => {
        composing.current = true;
      }}
      onCompositionEnd={(event) => {
        composing.current = false;
        flush(event.currentTarget);
      }}
      onInput={(event) => {
        const field = event.currentTarget;
        if (composing.current) {
          return;
        }
        if (field.value.length < FILLER.length) {
          send(KEYSYM.BackSpace);
        }
        flush(field);
      }}
    />
  );
}
