/**
 * Copy and paste as far as the policy allows, each direction on its own, always by an explicit press of a button:
 * nothing reads or writes this device's clipboard by itself. The gateway enforces the same limits.
 */
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { number } from "../../app/format";
import { Button } from "../../ui/controls";
import { characterCount } from "../keysyms";
import type { Viewer } from "../useViewer";

interface ClipboardPanelProps {
  readonly viewer: Viewer;
  readonly received: string;
  readonly onClear: () => void;
}

export function ClipboardPanel({ viewer, received, onClear }: ClipboardPanelProps) {
  const { t } = useTranslation();
  const obligations = viewer.state.info?.obligations;
  const into = obligations?.clipboard_in_chars ?? 0;
  const out = obligations?.clipboard_out_chars ?? 0;
  return (
    <>
      <p className="panel-policy" data-testid="clipboard-policy">
        {t(into === 0 && out === 0 ? "viewer.clipboard.policyNone" : "viewer.clipboard.policyBoth")}
      </p>
      <section aria-labelledby="clipboard-in">
        <h3 id="clipboard-in">{t("viewer.clipboard.inTitle")}</h3>
        {into === 0 ? (
          <p data-testid="clipboard-in-forbidden">{t("viewer.clipboard.inForbidden")}</p>
        ) : (
          <Outgoing max={into} onSend={(text) => viewer.screen.current?.paste(text)} />
        )}
      </section>
      <section aria-labelledby="clipboard-out">
        <h3 id="clipboard-out">{t("viewer.clipboard.outTitle")}</h3>
        {out === 0 ? (
          <p data-testid="clipboard-out-forbidden">{t("viewer.clipboard.outForbidden")}</p>
        ) : (
          <Incoming text={received} max={out} onClear={onClear} />
        )}
      </section>
    </>
  );
}

function Outgoing({ max, onSend }: { readonly max: number; readonly onSend: (text: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [sent, setSent] = useState(false);
  const id = useId();
  const count = characterCount(text);
  const over = count - max;
  return (
    <div className={`field${over > 0 ? " field-over" : ""}`}>
      <label className="field-label" htmlFor={id}>
        {t("viewer.clipboard.inLabel")}
      </label>
      <p className="field-help" id={`${id}-help`}>
        {t("viewer.clipboard.inHelp")}
      </p>
      <textarea
        id={id}
        className="text-area"
        value={text}
        aria-describedby={`${id}-help ${id}-count`}
        aria-invalid={over > 0}
        autoComplete="off"
        spellCheck={false}
        data-testid="clipboard-in-text"
        onChange={(event) => {
          setText(event.currentTarget.value);
          setSent(false);
        }}
      />
      <p className="field-count" id={`${id}-count`}>
        {over > 0
          ? t("viewer.clipboard.tooLong", { max: number(max), over: number(over) })
          : t("viewer.clipboard.count", { count, max: number(max) })}
      </p>
      <Button
        kind="primary"
        icon="send"
        isDisabled={count === 0 || over > 0}
        data-testid="clipboard-in-send"
        onPress={() => {
          onSend(text);
          setText("");
          setSent(true);
        }}
      >
        {t("viewer.clipboard.inSend")}
      </Button>
      <p role="status" className="field-help">
        {sent ? t("viewer.clipboard.inSent") : ""}
      </p>
    </div>
  );
}

interface IncomingProps {
  readonly text: string;
  readonly max: number;
  readonly onClear: () => void;
}

function Incoming({ text, max, onClear }: IncomingProps) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState<"ok" | "failed" | null>(null);
  const id = useId();
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied("ok"),
      () => setCopied("failed"),
    );
  };
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {t("viewer.clipboard.outLabel")}
      </label>
      <textarea
        id={id}
        className="text-area"
        value={text}
        readOnly
        placeholder={t("viewer.clipboard.outEmpty")}
        aria-describedby={`${id}-count`}
        data-testid="clipboard-out-text"
      />
      <p className="field-count" id={`${id}-count`}>
        {t("viewer.clipboard.count", { count: characterCount(text), max: number(max) })}
      </p>
      <div className="button-row">
        <Button kind="primary" icon="clipboard" isDisabled={text === ""} onPress={copy} data-testid="clipboard-out-copy">
          {t("viewer.clipboard.outCopy")}
        </Button>
        <Button kind="secondary" isDisabled={text === ""} onPress={onClear} data-testid="clipboard-out-clear">
          {t("viewer.clipboard.outClear")}
        </Button>
      </div>
      <p role="status" className="field-help">
        {copied === null ? "" : t(copied === "ok" ? "viewer.clipboard.outCopied" : "viewer.clipboard.outCopyFailed")}
      </p>
    </div>
  );
}
