/** Clocks and watchers of the viewer page: limits, line, activity, leaving. */
import { useEffect, useRef, useState } from "react";
import { sessions } from "../api/endpoints";
import { gatewayNow } from "../api/http";
import { guardBack } from "../app/router";
import { useChanges } from "../app/useChanges";
import type { Viewer } from "./useViewer";
import { idleSecondsLeft, totalWarning, type TotalWarning } from "./limits";
import { RoundTrips, UNKNOWN_LINE, grade, measureRoundTrip, type Line } from "./lineQuality";

/** Re-renders about once a second while `on`. */
export function useSeconds(on: boolean): number {
  const [now, setNow] = useState(gatewayNow);
  useEffect(() => {
    if (!on) {
      return undefined;
    }
    const timer = window.setInterval(() => setNow(gatewayNow()), 1_000);
    return () => window.clearInterval(timer);
  }, [on]);
  return now;
}

export interface Limits {
  readonly idleSeconds: number | null;
  readonly total: TotalWarning | null;
}

export function useLimits(viewer: Viewer): Limits {
  const { phase, info } = viewer.state;
  const connected = phase.kind === "connected";
  useSeconds(connected);
  if (!connected || info === null) {
    return { idleSeconds: null, total: null };
  }
  const now = gatewayNow();
  return {
    idleSeconds: idleSecondsLeft(now, viewer.connection.lastInput, info.obligations.idle_limit_seconds),
    total: totalWarning(now, info.expires_at === null ? null : Date.parse(info.expires_at)),
  };
}

const PROBE_MS = 5_000;
const PROBE_LIMIT_MS = 5_000;

/** Measures the line each 5 s while the page is seen, and drops a stream whose line is dead without saying so. */
export function useLine(viewer: Viewer): Line {
  const { connection } = viewer;
  const connected = viewer.state.phase.kind === "connected";
  const [line, setLine] = useState<Line>(UNKNOWN_LINE);
  useEffect(() => {
    if (!connected) {
      setLine(UNKNOWN_LINE);
      return undefined;
    }
    const trips = new RoundTrips();
    let missed = 0;
    let running = false;
    let seen = { bytes: connection.channel?.bytesIn ?? 0, at: performance.now() };
    const measure = async () => {
      if (document.visibilityState === "hidden" || running) {
        return;
      }
      running = true;
      const rtt = await measureRoundTrip(PROBE_LIMIT_MS);
      running = false;
      const channel = connection.channel;
      if (channel === null) {
        return;
      }
      const now = performance.now();
      const mbps = ((channel.bytesIn - seen.bytes) * 8) / Math.max(1, now - seen.at) / 1_000;
      seen = { bytes: channel.bytesIn, at: now };
      missed = rtt === null ? missed + 1 : 0;
      if (missed >= 2 && now - channel.lastMessageAt > PROBE_LIMIT_MS) {
        connection.dropLine();
      } else if (rtt !== null) {
        const rttMs = trips.add(rtt);
        setLine({ grade: grade(rttMs), rttMs, mbps });
      }
    };
    void measure();
    const timer = window.setInterval(() => void measure(), PROBE_MS);
    const onVisible = () => void measure();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [connected, connection]);
  return line;
}

/** The browser's own word on the network: drop at once, come back at once. */
export function useNetworkEvents(viewer: Viewer): void {
  const { connection } = viewer;
  useEffect(() => {
    const onOffline = () => connection.dropLine();
    const onOnline = () => connection.retryNow();
    window.addEventListener("offline", onOffline);
    window.addEventListener("online", onOnline);
    return () => {
      window.removeEventListener("offline", onOffline);
      window.removeEventListener("online", onOnline);
    };
  }, [connection]);
}

const QUIET_MS = 10_000;
const REFRESH_MS = 60_000;

/**
 * Somebody who uses the panels, or who watches a view-only desktop, is there too: the gateway is told by real input,
 * at most each 10 s. While there is input, the session's facts are read again each minute, which also keeps the
 * log-in alive; without input neither happens.
 */
export function useActivity(viewer: Viewer): void {
  const { connection, screen } = viewer;
  const connected = viewer.state.phase.kind === "connected";
  const sessionId = viewer.state.info?.id ?? null;
  useEffect(() => {
    if (!connected) {
      return undefined;
    }
    const onActivity = () => {
      if (gatewayNow() - connection.lastInput > QUIET_MS) {
        connection.nudge(screen.current?.middle() ?? { x: 0, y: 0 });
      }
    };
    const kinds = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"] as const;
    kinds.forEach((kind) => window.addEventListener(kind, onActivity, { capture: true, passive: true }));
    return () => kinds.forEach((kind) => window.removeEventListener(kind, onActivity, { capture: true }));
  }, [connected, connection, screen]);

  useEffect(() => {
    if (!connected || sessionId === null) {
      return undefined;
    }
    const timer = window.setInterval(() => {
      if (gatewayNow() - connection.lastInput < REFRESH_MS) {
        // A failure here is nothing: the stream itself tells when something is wrong.
        sessions.get(sessionId).then((info) => connection.refresh(info), () => undefined);
      }
    }, REFRESH_MS);
    return () => window.clearInterval(timer);
  }, [connected, connection, sessionId]);
}

/** What the gateway says of the session is shown at once: that its desktop is ready, other terms, what is declared. */
export function useToldChanges(viewer: Viewer): void {
  const { connection } = viewer;
  const connected = viewer.state.phase.kind === "connected";
  const sessionId = viewer.state.info?.id ?? null;
  useEffect(() => {
    const onVisible = () => connection.lookAgain();
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, [connection]);
  useChanges(["sessions", "desktops"], () => {
    if (connected && sessionId !== null) {
      sessions.get(sessionId, { background: true, quiet401: true }).then((info) => connection.refresh(info), () => undefined);
    } else {
      connection.lookAgain();
    }
  });
}

const PANEL_REFRESH_MS = 3_000;

/**
 * Rules may change while somebody works: the gateway acts at once, and an open panel shows what holds now. Like every
 * question of this page, only while somebody is there: a panel left open must not keep the log-in alive.
 */
export function useFreshTerms(viewer: Viewer, panelOpen: boolean): void {
  const { connection } = viewer;
  const wanted = panelOpen && viewer.state.phase.kind === "connected";
  const sessionId = viewer.state.info?.id ?? null;
  useEffect(() => {
    if (!wanted || sessionId === null) {
      return undefined;
    }
    const read = () => {
      if (gatewayNow() - connection.lastInput < REFRESH_MS) {
        sessions.get(sessionId).then((info) => connection.refresh(info), () => undefined);
      }
    };
    read();
    const timer = window.setInterval(read, PANEL_REFRESH_MS);
    return () => window.clearInterval(timer);
  }, [wanted, connection, sessionId]);
}

/** Asks before the tab is closed or the page is left by a step back while a desktop is on it. */
export function useLeaveGuard(on: boolean, onBack: () => void): void {
  const back = useRef(onBack);
  back.current = onBack;
  useEffect(() => {
    if (!on) {
      return undefined;
    }
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    guardBack(() => back.current());
    return () => {
      window.removeEventListener("beforeunload", ask);
      guardBack(null);
    };
  }, [on]);
}

interface KeyboardLock {
  lock?: (codes?: readonly string[]) => Promise<void>;
  unlock?: () => void;
}

/** Full screen with the keys of the system (Alt+Tab, Win, Esc) going to the desktop where the browser can do it. */
export function useFullscreen(): { readonly on: boolean; readonly available: boolean; readonly toggle: () => void } {
  const [on, setOn] = useState(() => document.fullscreenElement !== null);
  const { keyboard } = navigator as Navigator & { readonly keyboard?: KeyboardLock };
  useEffect(() => {
    const changed = () => {
      const full = document.fullscreenElement !== null;
      setOn(full);
      if (!full) {
        keyboard?.unlock?.();
      }
    };
    document.addEventListener("fullscreenchange", changed);
    return () => {
      document.removeEventListener("fullscreenchange", changed);
      keyboard?.unlock?.();
      if (document.fullscreenElement !== null) {
        void document.exitFullscreen();
      }
    };
  }, [keyboard]);
  const toggle = () => {
    if (document.fullscreenElement !== null) {
      void document.exitFullscreen();
      return;
    }
    // The whole document: dialogs live beside the viewer, not inside it.
    document.documentElement.requestFullscreen().then(
      () => keyboard?.lock?.(),
      () => undefined,
    );
  };
  return { on, available: document.fullscreenEnabled, toggle };
}

export interface Toast {
  readonly text: string;
  readonly id: number;
}

/** Short messages at the lower edge; each stays for 6 s or until the next. */
export function useToast(): { readonly toast: Toast | null; readonly say: (text: string) => void } {
  const [toast, setToast] = useState<Toast | null>(null);
  const count = useRef(0);
  useEffect(() => {
    if (toast === null) {
      return undefined;
    }
    const timer = window.setTimeout(() => setToast(null), 6_000);
    return () => window.clearTimeout(timer);
  }, [toast]);
  const say = useRef((text: string) => {
    count.current += 1;
    setToast({ text, id: count.current });
  });
  return { toast, say: say.current };
}
