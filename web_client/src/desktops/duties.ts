/** The caller's duties as `GET /api/v1/duties` states them, and what is shown of each. Pure but for the request. */
import { request, type RequestOptions } from "../api/http";
import type { DesktopReason } from "../api/types";
import type { IconName } from "../ui/Icon";

export type DutyStatus = "now" | "conditional" | "later" | "closed" | "no_place" | "never";

export interface DutyPlace {
  readonly pool_id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly allowed: boolean;
  readonly reason: DesktopReason | null;
}

export interface Duty {
  readonly id: string;
  readonly name_ja: string;
  readonly name_en: string;
  readonly department_ja: string;
  readonly department_en: string;
  readonly zone: string;
  readonly zone_ja: string;
  readonly zone_en: string;
  readonly condition: string;
  readonly priority: string;
  readonly resume_ja: string;
  readonly resume_en: string;
  readonly part: "main" | "substitute";
  readonly part_ja: string;
  readonly part_en: string;
  readonly status: DutyStatus;
  readonly status_ja: string;
  readonly status_en: string;
  readonly available_from: string | null;
  readonly places: readonly DutyPlace[];
}

export const duties = {
  list: (options: RequestOptions = {}) => request<{ readonly items: readonly Duty[] }>("GET", "/duties", undefined, options),
};

/** Colour never stands alone: every status has its own icon and its own words. */
export function iconFor(status: DutyStatus): IconName {
  switch (status) {
    case "now":
      return "check";
    case "conditional":
      return "info";
    case "later":
      return "clock";
    case "closed":
    case "no_place":
    case "never":
      return "lock";
  }
}

/** The places worth naming: those that are open, or, when none is, all of them. */
export function placesToShow(duty: Duty): readonly DutyPlace[] {
  const open = duty.places.filter((place) => place.allowed);
  return open.length === 0 ? duty.places : open;
}

/** Why nothing is open, in the gateway's words; the same reason once. */
export function reasonsToShow(duty: Duty): readonly DesktopReason[] {
  if (duty.status !== "later" && duty.status !== "closed") {
    return [];
  }
  const found = new Map<string, DesktopReason>();
  for (const { reason } of duty.places) {
    if (reason !== null) {
      found.set(`${reason.code} ${reason.text_ja}`, reason);
    }
  }
  return [...found.values()];
}
