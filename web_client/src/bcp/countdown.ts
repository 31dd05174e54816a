/** Pure: how long is left until an end, how pressing that is, and when it is worth saying aloud. */

export type Urgency = "calm" | "near" | "soon" | "last" | "over";

export interface Remaining {
  readonly urgency: Urgency;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

const HOUR = 3_600_000;

/** Reminders stand at 24 h, 4 h and 1 h, as the gateway sends them; ten minutes is for those who look at the page. */
const MILESTONES = [24 * HOUR, 4 * HOUR, HOUR, HOUR / 6, 0] as const;

/** What is left from `now` (ms) until `end` (ISO). An end that cannot be read counts as over: never show too much time. */
export function remaining(end: string, now: number): Remaining {
  const left = Date.parse(end) - now;
  if (!(left > 0)) {
    return { urgency: "over", hours: 0, minutes: 0, seconds: 0 };
  }
  const whole = Math.ceil(left / 1_000);
  return {
    urgency: left <= HOUR ? "last" : left <= 4 * HOUR ? "soon" : left <= 24 * HOUR ? "near" : "calm",
    hours: Math.floor(whole / 3_600),
    minutes: Math.floor((whole % 3_600) / 60),
    seconds: whole % 60,
  };
}

/** The same for a wait of half an hour, where "within an hour" says nothing: pressing from ten minutes on. */
export function shortUrgency({ urgency, hours, minutes }: Remaining): Urgency {
  return urgency === "over" ? "over" : hours === 0 && minutes < 10 ? "last" : "near";
}

/** The milestone (ms before the end) that was passed between two looks at the clock, or null. */
export function milestone(end: string, before: number, now: number): number | null {
  const at = Date.parse(end);
  let passed: number | null = null;
  for (const mark of MILESTONES) {
    if (before < at - mark && now >= at - mark) {
      passed = mark;
    }
  }
  return passed;
}

export function isOver(end: string, now: number): boolean {
  return remaining(end, now).urgency === "over";
}
