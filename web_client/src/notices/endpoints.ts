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

/** Shown open: what is owed, and what still asks, because an answer may change. The rest lies folded. */
export function isOpen(notice: StaffNotice): boolean {
  return notice.wants_answer || owed(notice) !== null;
}
