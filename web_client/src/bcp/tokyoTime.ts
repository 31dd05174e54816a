/** Pure: `<input type="datetime-local">` knows no time zone. Everything on these pages is Tokyo time, wherever the phone is. */

// Japan has no daylight saving time, so the difference is a constant.
const OFFSET_MS = 9 * 3_600_000;

/** "2026-07-03T08:30" (Tokyo) for a moment in ms. */
export function toTokyoField(time: number): string {
  return new Date(time + OFFSET_MS).toISOString().slice(0, 16);
}

/** The moment in ms, or null when the field holds no full date and time. */
export function fromTokyoField(field: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(field)) {
    return null;
  }
  const time = Date.parse(`${field}:00Z`) - OFFSET_MS;
  return Number.isNaN(time) || toTokyoField(time) !== field ? null : time;
}

/** `hours` from now, on the full minute and never later: the gateway's clock may be a little behind ours. */
export function hoursFrom(now: number, hours: number): number {
  return Math.floor((now - 5_000) / 60_000) * 60_000 + hours * 3_600_000;
}
