/** Keys that a tablet has not, that the browser or the system keeps for itself, or that a US keyboard lacks. */
import type { ReactNode } from "react";
import { Button as AriaButton, ToggleButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { STICKY, type StickyKey } from "../keyPipeline";
import { KEYSYM } from "../keysyms";
import type { Viewer } from "../useViewer";

const STICKY_NAMES: Readonly<Record<StickyKey, string>> = { ctrl: "Ctrl", alt: "Alt", shift: "Shift", win: "Win" };

export function KeysPanel({ viewer }: { readonly viewer: Viewer }) {
  const { t } = useTranslation();
  const keys = () => viewer.screen.current?.keys;
  const key = (label: string, keysym: number, code: string | null, options: KeyOptions = {}) => (
    <KeyButton
      label={label}
      onPress={() => keys()?.tap(keysym, code, options.hold ?? false)}
      name={options.name ?? label}
      testId={`key-${options.id ?? label.toLowerCase()}`}
    />
  );
  return (
    <>
      <Group title={t("viewer.keys.sticky")} note={t("viewer.keys.stickyHelp")}>
        {(Object.keys(STICKY) as StickyKey[]).map((name) => (
          <ToggleButton
            key={name}
            className="key"
            isSelected={viewer.sticky.has(name)}
            onChange={() => keys()?.toggleSticky(name)}
            data-testid={`sticky-${name}`}
          >
            {STICKY_NAMES[name]}
          </ToggleButton>
        ))}
      </Group>
      <Group title={t("viewer.keys.japanese")}>
        {key(t("viewer.keys.zenhan"), KEYSYM.ZenkakuHankaku, "Backquote", { id: "zenkaku-hankaku", hold: true })}
        {key(t("viewer.keys.henkan"), KEYSYM.Henkan, "Convert", { id: "henkan", hold: true })}
        {key(t("viewer.keys.muhenkan"), KEYSYM.Muhenkan, "NonConvert", { id: "muhenkan", hold: true })}
        {key(t("viewer.keys.kana"), KEYSYM.HiraganaKatakana, "KanaMode", { id: "kana", hold: true })}
      </Group>
      <Group title={t("viewer.keys.special")}>
        {key("Esc", KEYSYM.Escape, "Escape")}
        {key("Tab", KEYSYM.Tab, "Tab")}
        {key(t("viewer.keys.enter"), KEYSYM.Return, "Enter", { id: "enter" })}
        {key("Del", KEYSYM.Delete, "Delete")}
        {key("Home", KEYSYM.Home, "Home")}
        {key("End", KEYSYM.End, "End")}
        {key("PgUp", KEYSYM.PageUp, "PageUp")}
        {key("PgDn", KEYSYM.PageDown, "PageDown")}
        {key(t("viewer.keys.win"), KEYSYM.SuperL, "MetaLeft", { id: "win" })}
        <KeyButton
          label={t("viewer.keys.altTab")}
          name={t("viewer.keys.altTab")}
          testId="key-alt-tab"
          onPress={() =>
            keys()?.chord([
              [KEYSYM.AltL, "AltLeft"],
              [KEYSYM.Tab, "Tab"],
            ])
          }
        />
        <KeyButton
          label={t("viewer.keys.cad")}
          name={t("viewer.keys.cad")}
          testId="key-ctrl-alt-del"
          onPress={() => keys()?.ctrlAltDel()}
        />
      </Group>
      <Group title={t("viewer.keys.arrows")}>
        {key("←", KEYSYM.Left, "ArrowLeft", { id: "left", name: t("viewer.keys.left") })}
        {key("↑", KEYSYM.Up, "ArrowUp", { id: "up", name: t("viewer.keys.up") })}
        {key("↓", KEYSYM.Down, "ArrowDown", { id: "down", name: t("viewer.keys.down") })}
        {key("→", KEYSYM.Right, "ArrowRight", { id: "right", name: t("viewer.keys.right") })}
      </Group>
      <Group title={t("viewer.keys.function")}>
        {Array.from({ length: 12 }, (_, index) => (
          <span key={index}>{key(`F${index + 1}`, KEYSYM.F1 + index, `F${index + 1}`)}</span>
        ))}
      </Group>
    </>
  );
}

interface KeyOptions {
  readonly id?: string;
  readonly name?: string;
  readonly hold?: boolean;
}

interface KeyButtonProps {
  readonly label: string;
  readonly name: string;
  readonly onPress: () => void;
  readonly testId: string;
}

function KeyButton({ label, name, onPress, testId }: KeyButtonProps) {
  return (
    <AriaButton className="key" aria-label={name} onPress={onPress} data-testid={testId}>
      {label}
    </AriaButton>
  );
}

function Group({ title, note, children }: { readonly title: string; readonly note?: string; readonly children: ReactNode }) {
  return (
    <div className="key-group" role="group" aria-label={title}>
      <p className="key-title">
        <strong>{title}</strong>
        {note === undefined ? null : <span className="fine">{note}</span>}
      </p>
      <div className="key-row">{children}</div>
    </div>
  );
}
