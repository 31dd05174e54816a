/** The panel that is open below the toolbar: a region of its own, closed with Esc, never over the whole picture. */
import { useEffect, useRef, type ReactNode } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon } from "../../ui/Icon";
import type { Line } from "../lineQuality";
import type { Viewer } from "../useViewer";
import { ClipboardPanel } from "./ClipboardPanel";
import { DisplayPanel } from "./DisplayPanel";
import { HelpPanel } from "./HelpPanel";
import { KeysPanel } from "./KeysPanel";
import { LinePanel } from "./LinePanel";
import { TypePanel } from "./TypePanel";

export type PanelName = "display" | "clipboard" | "keys" | "type" | "help" | "line";

interface PanelsProps {
  readonly open: PanelName | null;
  readonly viewer: Viewer;
  readonly line: Line;
  readonly received: string;
  readonly onClear: () => void;
  readonly onClose: () => void;
}

export function Panels({ open, viewer, line, received, onClear, onClose }: PanelsProps) {
  const { t } = useTranslation();
  switch (open) {
    case null:
      return null;
    case "display":
      return (
        <Panel name={open} title={t("viewer.display.title")} onClose={onClose}>
          <DisplayPanel viewer={viewer} />
        </Panel>
      );
    case "clipboard":
      return (
        <Panel name={open} title={t("viewer.clipboard.title")} onClose={onClose}>
          <ClipboardPanel viewer={viewer} received={received} onClear={onClear} />
        </Panel>
      );
    case "keys":
      return (
        <Panel name={open} title={t("viewer.keys.title")} onClose={onClose}>
          <KeysPanel viewer={viewer} />
        </Panel>
      );
    case "type":
      return (
        <Panel name={open} title={t("viewer.type.title")} onClose={onClose}>
          <TypePanel viewer={viewer} />
        </Panel>
      );
    case "help":
      return (
        <Panel name={open} title={t("viewer.help.title")} onClose={onClose}>
          <HelpPanel />
        </Panel>
      );
    case "line":
      return (
        <Panel name={open} title={t("viewer.line.title")} onClose={onClose}>
          <LinePanel viewer={viewer} line={line} />
        </Panel>
      );
  }
}

interface PanelProps {
  readonly name: PanelName;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

function Panel({ name, title, onClose, children }: PanelProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    const opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const panel = box.current;
    panel?.focus();
    return () => {
      // Only when the focus was in here: a click on the picture has moved it where the person wants it.
      if (panel !== null && (panel.contains(document.activeElement) || document.activeElement === document.body)) {
        opener?.focus();
      }
    };
  }, []);
  return (
    <section
      className={`viewer-panel viewer-panel-${name}`}
      aria-labelledby={`panel-${name}`}
      tabIndex={-1}
      ref={box}
      data-testid={`${name}-panel`}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.nativeEvent.isComposing) {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="panel-head">
        <h2 id={`panel-${name}`}>{title}</h2>
        <AriaButton className="tool" aria-label={t("common.close")} onPress={onClose} data-testid="panel-close">
          <Icon name="close" />
        </AriaButton>
      </div>
      {children}
    </section>
  );
}
