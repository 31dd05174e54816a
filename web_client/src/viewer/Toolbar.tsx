/** The bar over the picture. Each tool opens a panel below; Ctrl+Alt+Shift+Enter comes here from the picture. */
import type { ReactNode, Ref } from "react";
import { Button as AriaButton, Toolbar as AriaToolbar } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon, type IconName } from "../ui/Icon";
import { Logo } from "../ui/Logo";
import { Name } from "../ui/Name";
import type { Line } from "./lineQuality";
import type { PanelName } from "./panels";
import type { Viewer } from "./useViewer";

interface ToolbarProps {
  readonly ref: Ref<HTMLDivElement>;
  readonly viewer: Viewer;
  readonly name: string;
  readonly line: Line;
  readonly panel: PanelName | null;
  readonly onPanel: (panel: PanelName) => void;
  readonly shown: boolean;
  readonly onShown: (shown: boolean) => void;
  readonly fullscreen: { readonly on: boolean; readonly available: boolean; readonly toggle: () => void };
  readonly onSoftKeyboard: () => void;
  readonly onBackToCanvas: () => void;
  readonly onLeave: () => void;
  /** Warnings that stay while they hold, below the tools. */
  readonly children: ReactNode;
}

export function Toolbar(props: ToolbarProps) {
  const { t } = useTranslation();
  const { viewer, name, panel, onPanel, fullscreen } = props;
  const info = viewer.state.info;
  const viewOnly = info?.obligations.view_only === true;
  const tool = (which: PanelName, icon: IconName) => (
    <Tool
      icon={icon}
      label={t(`viewer.tools.${which}`)}
      expanded={panel === which}
      onPress={() => onPanel(which)}
      testId={`${which}-open`}
    />
  );
  return (
    <header className={`viewer-bar${props.shown ? "" : " viewer-bar-hidden"}`} ref={props.ref}>
      {props.shown ? (
        <div className="viewer-bar-row">
          <div className="viewer-name">
            <Logo size={28} />
            <div>
              <h1>
                <Name>{name}</Name>
              </h1>
              <p>
                {info?.short_code}
                {viewOnly ? <span className="badge">{t("viewer.viewOnly")}</span> : null}
              </p>
            </div>
          </div>
          <AriaToolbar className="viewer-tools" aria-label={t("viewer.toolbar")}>
            {tool("display", "display")}
            {viewOnly ? null : tool("clipboard", "clipboard")}
            {viewOnly ? null : tool("keys", "keys")}
            {viewOnly ? null : tool("type", "type")}
            {viewOnly ? null : (
              <Tool
                icon="softKeyboard"
                label={t("viewer.tools.softKeyboard")}
                onPress={props.onSoftKeyboard}
                testId="soft-keyboard-open"
                className="touch-only"
              />
            )}
            {fullscreen.available ? (
              <Tool
                icon={fullscreen.on ? "exitFullscreen" : "fullscreen"}
                label={t(fullscreen.on ? "viewer.tools.exitFullscreen" : "viewer.tools.fullscreen")}
                onPress={fullscreen.toggle}
                testId="fullscreen-toggle"
              />
            ) : null}
            {tool("help", "help")}
            <LineTool line={props.line} expanded={panel === "line"} onPress={() => onPanel("line")} />
          </AriaToolbar>
          <Tool
            icon="leave"
            label={t("viewer.tools.leave")}
            onPress={props.onLeave}
            testId="viewer-leave"
            className="tool-leave"
          />
        </div>
      ) : null}
      <div className="viewer-banners">{props.children}</div>
      <div className="viewer-bar-foot">
        {props.shown ? (
          <>
            <span className="escape-hint">{t("viewer.escapeHint", { keys: t("viewer.escapeKeys") })}</span>
            <AriaButton className="foot-button" onPress={props.onBackToCanvas} data-testid="viewer-focus-canvas">
              {t("viewer.backToCanvas")}
            </AriaButton>
          </>
        ) : null}
        <AriaButton
          className="foot-button foot-fold"
          aria-label={t(props.shown ? "viewer.hideBar" : "viewer.showBar")}
          aria-expanded={props.shown}
          onPress={() => props.onShown(!props.shown)}
          data-testid="viewer-bar-toggle"
        >
          <Icon name={props.shown ? "chevronUp" : "chevronDown"} />
        </AriaButton>
      </div>
    </header>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onPress: () => void;
  readonly expanded?: boolean;
  readonly testId: string;
  readonly className?: string;
}

function Tool({ icon, label, onPress, expanded, testId, className }: ToolProps) {
  return (
    <AriaButton
      className={`tool ${className ?? ""}`}
      onPress={onPress}
      aria-label={label}
      {...(expanded === undefined ? {} : { "aria-expanded": expanded })}
      data-testid={testId}
    >
      <Icon name={icon} size={22} />
      <span className="tool-label">{label}</span>
    </AriaButton>
  );
}

function LineTool({ line, expanded, onPress }: { readonly line: Line; readonly expanded: boolean; readonly onPress: () => void }) {
  const { t } = useTranslation();
  const time = line.rttMs === null ? t("viewer.line.unknown") : t("viewer.line.rttValue", { ms: line.rttMs });
  const label = `${t("viewer.line.label", { quality: t(`viewer.line.${line.grade}`) })} ${time}`;
  return (
    <AriaButton
      className={`tool tool-line line-${line.grade}`}
      onPress={onPress}
      aria-expanded={expanded}
      aria-label={label}
      data-testid="line-open"
      data-grade={line.grade}
    >
      <span className="bars" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className="tool-label">{time}</span>
    </AriaButton>
  );
}
