/** "Type here and send": text becomes key presses. For tablets and for words the far input method does not know. */
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/controls";
import { characterCount } from "../keysyms";
import type { Viewer } from "../useViewer";

const MAX = 500;

type Sending = { readonly done: number; readonly total: number } | "sent" | null;

export function TypePanel({ viewer }: { readonly viewer: Viewer }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [sending, setSending] = useState<Sending>(null);
  const running = useRef<AbortController | null>(null);
  const id = useId();
  const count = characterCount(text);
  const busy = sending !== null && sending !== "sent";

  useEffect(() => () => running.current?.abort(), []);

  const send = async () => {
    const keys = viewer.screen.current?.keys;
    if (keys === undefined) {
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    setSending({ done: 0, total: count });
    await keys.typeText(text, (done, total) => setSending({ done, total }), controller.signal);
    if (controller.signal.aborted) {
      setSending(null);
    } else {
      setText("");
      setSending("sent");
    }
  };

  return (
    <div className={`field${count > MAX ? " field-over" : ""}`}>
      <p className="panel-policy" id={`${id}-help`}>
        {t("viewer.type.help")}
        {viewer.settings.textEntry === "symbol" ? ` ${t("viewer.type.symbolNote")}` : null}
      </p>
      <label className="field-label" htmlFor={id}>
        {t("viewer.type.label")}
      </label>
      <textarea
        id={id}
        className="text-area"
        value={text}
        disabled={busy}
        aria-describedby={`${id}-help ${id}-count`}
        aria-invalid={count > MAX}
        autoComplete="off"
        spellCheck={false}
        data-testid="type-text"
        onChange={(event) => {
          setText(event.currentTarget.value);
          setSending(null);
        }}
      />
      <p className="field-count" id={`${id}-count`}>
        {count > MAX
          ? t("viewer.clipboard.tooLong", { max: MAX, over: count - MAX })
          : t("viewer.clipboard.count", { count, max: MAX })}
      </p>
      <div className="button-row">
        <Button
          kind="primary"
          icon="send"
          isDisabled={busy || count === 0 || count > MAX}
          onPress={() => void send()}
          data-testid="type-send"
        >
          {t("viewer.type.send")}
        </Button>
        {busy ? (
          <Button kind="secondary" onPress={() => running.current?.abort()}>
            {t("viewer.type.stop")}
          </Button>
        ) : null}
      </div>
      <p role="status" className="field-help" data-testid="type-status">
        {sending === null ? "" : sending === "sent" ? t("viewer.type.sent") : t("viewer.type.sending", sending)}
      </p>
    </div>
  );
}
