/**
 * noVNC on the page: creates it on a ready channel, applies the settings, keeps the last picture visible after a drop.
 * Counterpart: ViewerConnection, which decides when a stream is opened. Desktop names are never taken from the wire.
 */
import RFB from "@novnc/novnc";
import type { SessionInfo } from "../api/types";
import type { Channel } from "./channel";
import type { Screen, ScreenEvents } from "./connection";
import { KeyPipeline, type KeyCallbacks } from "./keyPipeline";
import { PRESETS } from "./quality";
import type { ViewerSettings } from "./settings";

export interface RemoteScreenOptions {
  readonly host: HTMLElement;
  readonly channel: Channel;
  readonly info: SessionInfo;
  readonly settings: ViewerSettings;
  readonly label: string;
  readonly describedBy: string;
  readonly events: ScreenEvents;
  readonly keys: KeyCallbacks;
  readonly onClipboard: (text: string) => void;
}

const RESIZE_PAUSE_MS = 1_000;

export class RemoteScreen implements Screen {
  readonly keys: KeyPipeline;
  readonly #rfb: RFB;
  readonly #host: HTMLElement;
  readonly #canvas: HTMLCanvasElement | null;
  readonly #sizer: HostSizer;
  #closed = false;

  constructor(options: RemoteScreenOptions) {
    const { host, channel, info, events } = options;
    this.#host = host;
    this.#sizer = new HostSizer(host);
    const rfb = new RFB(host, channel, { shared: true });
    this.#rfb = rfb;
    rfb.background = "transparent";
    rfb.viewOnly = info.obligations.view_only;
    this.keys = new KeyPipeline(rfb, options.keys);
    // On touch screens noVNC draws the pointer on a canvas of its own at the end of the page.
    document.querySelectorAll("body > canvas").forEach((pointer) => pointer.setAttribute("aria-hidden", "true"));
    this.#canvas = host.querySelector<HTMLCanvasElement>("canvas:not(.frozen)");
    if (this.#canvas !== null) {
      dress(this.#canvas, options);
      this.keys.attach(host, this.#canvas);
    }
    rfb.addEventListener("connect", () => {
      dropFrozen(host);
      events.onConnected();
      // The bar takes its place above the picture now: do not show a picture that is too high for a second.
      requestAnimationFrame(() => this.#sizer.settle());
    });
    rfb.addEventListener("securityfailure", events.onFailed);
    rfb.addEventListener("credentialsrequired", events.onFailed);
    // The gateway lets through what the policy allows at this moment, which may be more than when the stream began.
    rfb.addEventListener("clipboard", (event) => options.onClipboard(event.detail.text));
    this.apply(options.settings);
  }

  apply(settings: ViewerSettings): void {
    if (this.#closed) {
      return;
    }
    const rfb = this.#rfb;
    const levels = PRESETS[settings.quality];
    rfb.qualityLevel = levels.quality;
    rfb.compressionLevel = levels.compression;
    rfb.showDotCursor = settings.dotCursor;
    rfb.clipViewport = settings.scale === "one" && settings.drag;
    rfb.dragViewport = settings.scale === "one" && settings.drag;
    // A desktop that cannot change its size is at least scaled to the window.
    rfb.scaleViewport = settings.scale !== "one";
    this.#sizer.follow(settings.scale === "follow");
    rfb.resizeSession = settings.scale === "follow";
    this.keys.layout = settings.layout ?? settings.detectedLayout;
    this.keys.textEntry = settings.textEntry;
  }

  focus(): void {
    this.#rfb.focus({ preventScroll: true });
  }

  paste(text: string): void {
    this.#rfb.clipboardPasteFrom(text);
  }

  /** Middle of the desktop in its own pixels. */
  middle(): { readonly x: number; readonly y: number } {
    return { x: Math.floor((this.#canvas?.width ?? 0) / 2), y: Math.floor((this.#canvas?.height ?? 0) / 2) };
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.keys.detach();
    this.#sizer.stop();
    freeze(this.#host, this.#canvas);
    this.#rfb.disconnect();
  }
}

/** Gives noVNC's canvas a name, a place in the tab order and a description of how to get out again. */
function dress(canvas: HTMLCanvasElement, options: RemoteScreenOptions): void {
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", options.label);
  canvas.setAttribute("aria-describedby", options.describedBy);
  canvas.dataset["testid"] = "viewer-canvas";
}

/** Keeps a copy of the last picture, so that a short drop is not a flash of grey. */
function freeze(host: HTMLElement, canvas: HTMLCanvasElement | null): void {
  dropFrozen(host);
  if (canvas === null || canvas.width === 0 || canvas.height === 0) {
    return;
  }
  const copy = document.createElement("canvas");
  copy.className = "frozen";
  copy.setAttribute("aria-hidden", "true");
  copy.width = canvas.width;
  copy.height = canvas.height;
  copy.getContext("2d")?.drawImage(canvas, 0, 0);
  host.append(copy);
}

export function dropFrozen(host: HTMLElement): void {
  host.querySelectorAll("canvas.frozen").forEach((copy) => copy.remove());
}

/**
 * Gives the host a size in whole pixels that follows its parent at most once a second: noVNC asks the desktop for
 * the size of the host, and a desktop that re-lays its windows at every pixel of a drag is no use to anyone.
 */
class HostSizer {
  readonly #host: HTMLElement;
  #observer: ResizeObserver | null = null;
  #last = Number.NEGATIVE_INFINITY;
  #timer = 0;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  follow(on: boolean): void {
    if (on && this.#observer === null && this.#host.parentElement !== null) {
      this.#observer = new ResizeObserver(() => this.#later());
      this.#observer.observe(this.#host.parentElement);
      this.#now();
    } else if (!on) {
      this.stop();
    }
  }

  /** Takes the size at once, for a change that is not a drag of the window's edge. */
  settle(): void {
    if (this.#observer !== null) {
      window.clearTimeout(this.#timer);
      this.#now();
    }
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = null;
    window.clearTimeout(this.#timer);
    this.#host.style.width = "";
    this.#host.style.height = "";
  }

  #later(): void {
    window.clearTimeout(this.#timer);
    const wait = this.#last + RESIZE_PAUSE_MS - performance.now();
    if (wait <= 0) {
      this.#now();
    } else {
      this.#timer = window.setTimeout(() => this.#now(), wait);
    }
  }

  #now(): void {
    const parent = this.#host.parentElement;
    if (parent === null) {
      return;
    }
    this.#last = performance.now();
    this.#host.style.width = `${Math.floor(parent.clientWidth)}px`;
    this.#host.style.height = `${Math.floor(parent.clientHeight)}px`;
  }
}
