/** What a person can set in the viewer. Lives as long as the page, like everything else here. */
import type { Quality } from "../api/types";
import type { LocalLayout, TextEntry } from "./keyPipeline";

export type ScaleMode = "fit" | "one" | "follow";

export interface ViewerSettings {
  readonly scale: ScaleMode;
  readonly quality: Quality;
  /** null: what the browser tells. */
  readonly layout: LocalLayout | null;
  readonly detectedLayout: LocalLayout;
  /** Not a person's choice: our own desktops have an input method that takes character numbers. */
  readonly textEntry: TextEntry;
  readonly dotCursor: boolean;
  /** At 1:1, dragging moves the visible part instead of the mouse. */
  readonly drag: boolean;
}

export function initialSettings(quality: Quality): ViewerSettings {
  return { scale: "follow", quality, layout: null, detectedLayout: "jis", textEntry: "symbol", dotCursor: false, drag: false };
}
