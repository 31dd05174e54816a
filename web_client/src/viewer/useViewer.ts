/** Ties one viewer's connection, its screen and the page together. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import { desktops, sessions, streamProtocols, streamUrl } from "../api/endpoints";
import { gatewayNow } from "../api/http";
import type { SessionInfo } from "../api/types";
import { changes } from "../app/useChanges";
import { pick } from "../i18n";
import { ViewerConnection, type ViewerState } from "./connection";
import { detectLayout, type KeyCallbacks, type StickyKey } from "./keyPipeline";
import { measureRoundTrip } from "./lineQuality";
import { RemoteScreen } from "./remoteScreen";
import { initialSettings, type ViewerSettings } from "./settings";

export interface ViewerEvents {
  readonly onEscape: () => void;
  readonly onLocalIme: () => void;
  readonly onClipboard: (text: string) => void;
  readonly onLegacyCutText: () => void;
}

export interface Viewer {
  readonly connection: ViewerConnection;
  readonly state: ViewerState;
  readonly settings: ViewerSettings;
  readonly change: (change: Partial<ViewerSettings>) => void;
  readonly screen: RefObject<RemoteScreen | null>;
  readonly sticky: ReadonlySet<StickyKey>;
}

export const CANVAS_HELP_ID = "canvas-help";

export function useViewer(sessionId: string, host: RefObject<HTMLElement | null>, events: ViewerEvents): Viewer {
  const screen = useRef<RemoteScreen | null>(null);
  const handlers = useRef(events);
  handlers.current = events;
  const [settings, setSettings] = useState<ViewerSettings>(() => initialSettings("standard"));
  const settingsNow = useRef(settings);
  settingsNow.current = settings;
  const [sticky, setSticky] = useState<ReadonlySet<StickyKey>>(new Set());
  const [connection, setConnection] = useState(build);

  function build(): ViewerConnection {
    const keys: KeyCallbacks = {
      onEscape: () => handlers.current.onEscape(),
      onLocalIme: () => handlers.current.onLocalIme(),
      onSticky: setSticky,
    };
    return new ViewerConnection(sessionId, {
      get: (id, signal) => sessions.get(id, { signal }),
      ticket: (id, signal) => sessions.ticket(id, { signal }),
      openSocket: (id, ticket) => new WebSocket(streamUrl(id), streamProtocols(ticket)),
      openScreen: (channel, info, screenEvents) => {
        if (host.current === null) {
          throw new Error("the viewer page is gone");
        }
        channel.onLegacyCutText = () => handlers.current.onLegacyCutText();
        screen.current = new RemoteScreen({
          host: host.current,
          channel,
          info,
          settings: settingsNow.current,
          label: pick(info.name_ja, info.name_en),
          describedBy: CANVAS_HELP_ID,
          events: screenEvents,
          keys,
          onClipboard: (text) => handlers.current.onClipboard(text),
        });
        return screen.current;
      },
      probe: async () => (await measureRoundTrip(1_800)) !== null,
      told: () => changes.live,
      present: () => document.visibilityState !== "hidden",
      online: () => navigator.onLine,
      now: gatewayNow,
      random: Math.random,
    });
  }

  useEffect(() => {
    // React's strict mode runs effects twice: a disposed connection is replaced, never restarted.
    const mine = build();
    setConnection(mine);
    void mine.run();
    return () => mine.dispose();
  }, [sessionId]);

  const state = useSyncExternalStore(connection.subscribe, connection.snapshot);
  usePolicyQuality(state.info, setSettings);
  useTextEntry(state.info, setSettings);

  useEffect(() => {
    void detectLayout().then((detectedLayout) => setSettings((before) => ({ ...before, detectedLayout })));
  }, []);
  useEffect(() => {
    screen.current?.apply(settings);
  }, [settings]);

  const change = useCallback((part: Partial<ViewerSettings>) => setSettings((before) => ({ ...before, ...part })), []);
  return useMemo(
    () => ({ connection, state, settings, change, screen, sticky }),
    [connection, state, settings, change, sticky],
  );
}

/** The policy's quality is where the settings start. */
function usePolicyQuality(
  info: SessionInfo | null,
  setSettings: (update: (before: ViewerSettings) => ViewerSettings) => void,
): void {
  const granted = info?.obligations.quality;
  useEffect(() => {
    if (granted !== undefined) {
      setSettings((before) => ({ ...before, quality: granted }));
    }
  }, [granted, setSettings]);
}

/** Desktops of a pool are our own, with fcitx5; what input method a fixed target has nobody knows. */
function useTextEntry(
  info: SessionInfo | null,
  setSettings: (update: (before: ViewerSettings) => ViewerSettings) => void,
): void {
  const poolId = info?.pool_id;
  useEffect(() => {
    if (poolId === undefined) {
      return;
    }
    desktops.list().then(
      ({ items }) => {
        const pooled = items.find((item) => item.pool_id === poolId)?.kind === "agent";
        setSettings((before) => ({ ...before, textEntry: pooled ? "number" : "symbol" }));
      },
      () => undefined,
    );
  }, [poolId, setSettings]);
}
