/** Pure: what a place in the queue means in words, and when a screen reader is told. Counterpart: SessionAnswer.queue. */
import type { SessionInfo, SessionQueue } from "../api/types";

/** Minutes to say for an estimate: nobody is helped by seconds that change while they are read. */
export function estimateMinutes(seconds: number): number {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  return minutes <= 10 ? minutes : Math.ceil(minutes / 5) * 5;
}

/** What is said aloud changes with the place, the reason and a clearly other estimate; not with each minute. */
export function announcementKey(queue: SessionQueue): string {
  const minutes = queue.estimate_seconds === null ? null : estimateMinutes(queue.estimate_seconds);
  const coarse = minutes === null ? "none" : minutes <= 2 ? "soon" : String(Math.ceil(minutes / 5));
  return `${queue.place} ${queue.reason} ${coarse}`;
}

/** Whole seconds until a moment, never negative; null for none. */
export function secondsUntil(iso: string | null | undefined, now: number): number | null {
  if (iso === null || iso === undefined) {
    return null;
  }
  const at = Date.parse(iso);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1_000));
}

/** The seat is there and waits for its person. */
export function isHeld(info: SessionInfo | null): boolean {
  return info?.state === "ready" && typeof info.held_until === "string";
}
