/** Notices of declarations to the signed-in person, and what they say to them. */
import { request, type RequestOptions } from "../api/http";

export type Ability = "can" | "partly" | "cannot";

export interface StaffNotice {
  readonly id: string;
  readonly declaration_id: string;
  readonly subject_ja: string;
  readonly subject_en: string;
  readonly lead_ja: string;
  readonly lead_en: string;
  /** Label (ja, en) and value (ja, en) of each fact. */
  readonly rows: readonly (readonly [string, string, string, string])[];
  readonly drill: boolean;
  readonly at: string;
  readonly wants_answer: boolean;
  readonly read_at: string | null;
  readonly ability: Ability | null;
  readonly note: string;
}

const of = (id: string) => `/notices/${encodeURIComponent(id)}`;

export const staffNotices = {
  list: (options: RequestOptions = {}) =>
    request<{ readonly items: readonly StaffNotice[] }>("GET", "/notices", undefined, options),
  read: (id: string) => request<void>("POST", `${of(id)}/read`, {}),
  answer: (id: string, ability: Ability, note: string) => request<void>("POST", `${of(id)}/answer`, { ability, note }),
};

/** What the person still has to do with it: answer, read, or nothing. */
export function owed(notice: StaffNotice): "answer" | "read" | null {
  if (notice.wants_answer && notice.ability === null) {
    return "answer";
  }
  return notice.read_at === null ? "read" : null;
}

/**
 * What lies open: whatever still asks (an answer may change), and the newest that nobody has read. The rest is folded, so
 * that old news does not push the desktops off the page.
 */
export function arranged(items: readonly StaffNotice[]): {
  readonly open: readonly StaffNotice[];
  readonly folded: readonly StaffNotice[];
} {
  const newest = items.find((notice) => owed(notice) === "read");
  const isOpen = (notice: StaffNotice) => notice.wants_answer || notice === newest;
  return { open: items.filter(isOpen), folded: items.filter((notice) => !isOpen(notice)) };
}
