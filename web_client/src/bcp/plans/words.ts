/** A plan in plain words, for people who decide and do not read YAML. Pure but for the current language. */
import i18next from "i18next";
import { pick } from "../../i18n";
import type { Named } from "../types";
import type { Bilingual, PlanCapacity, PlanContent, Widening } from "./types";

export type Row = readonly [string, string];

/** Names of duties and pools that people know better than the ids. */
export interface KnownNames {
  readonly duties: readonly Named[];
  readonly pools: readonly Named[];
  readonly sites: readonly Named[];
}

const t = () => i18next.getFixedT(null, "plans");

export function both(text: Bilingual | undefined): string {
  return text === undefined ? "" : pick(text.ja, text.en);
}

/** "30m" as people say it; what cannot be read stays as it is. */
export function lengthWords(length: string): string {
  const match = /^(\d+)([smhd])$/.exec(length);
  return match === null ? length : t()(`words.unit.${match[2] as "s" | "m" | "h" | "d"}`, { count: Number(match[1]) });
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(pick("、", "; "));
}

function list(names: readonly string[] | undefined, known: readonly Named[] = []): string {
  const shown = (names ?? []).map((name) => {
    const found = known.find((one) => one.id === name);
    return found === undefined ? name : pick(found.name_ja, found.name_en);
  });
  return shown.join(pick("・", ", "));
}

export function basics(plan: PlanContent): readonly Row[] {
  const say = t();
  return [
    [say("words.plan"), both(plan.name)],
    [say("words.id"), plan.id],
    [say("words.contact"), both(plan.contact)],
    [say("words.allowed"), both(plan.texts.allowed)],
    [say("words.forbidden"), both(plan.texts.forbidden)],
    [say("words.grace"), lengthWords(plan.grace ?? "30m")],
  ];
}

/** Who, with whose approval, from where, with what, when, how often, to where, on which terms. */
export function lineRows(line: Widening, known: KnownNames): readonly Row[] {
  const say = t();
  const rows: Row[] = [
    [say("words.who"), who(line, known)],
    [say("words.approval"), both(line.approval)],
    [say("words.places"), places(line, known)],
    [say("words.devices"), devices(line)],
    [say("words.hours"), hours(line)],
    [say("words.frequency"), daysAWeek(line)],
    [say("words.targets"), targets(line, known)],
    [say("words.terms"), terms(line)],
  ];
  return rows.filter(([, value]) => value !== "");
}

function named(key: "groups" | "departments" | "employment" | "duties" | "conditional" | "networks" | "sites" | "kinds" | "pools" | "classes" | "targetSites" | "zones", names: string): string {
  return names === "" ? "" : t()(`words.${key}`, { names });
}

function who({ who: people }: Widening, known: KnownNames): string {
  return joined([
    named("groups", list(people.groups)),
    named("departments", list(people.departments)),
    named("employment", list(people.employment)),
    named("duties", list(people.duties, known.duties)),
    named("conditional", list(people.conditional_duties, known.duties)),
    people.substitutes === true ? t()("words.substitutes") : "",
  ]);
}

function places({ places: from }: Widening, known: KnownNames): string {
  return from.anywhere === true
    ? t()("words.anywhere")
    : joined([named("networks", list(from.networks)), named("sites", list(from.sites, known.sites))]);
}

function devices({ devices: device }: Widening): string {
  const say = t();
  if (device === undefined) {
    return say("words.anyDevice");
  }
  const kinds = (device.kinds ?? []).map((kind) =>
    kind === "managed" || kind === "thin" || kind === "byod" || kind === "tablet" ? say(`form.kind.${kind}`) : kind,
  );
  const registered = device.registered === undefined ? "" : say(device.registered ? "words.registered" : "words.unregistered");
  return joined([named("kinds", kinds.join(pick("・", ", "))), registered, say("words.noDeviceYet")]);
}

function hours({ hours: when }: Widening): string {
  const say = t();
  if (when === undefined) {
    return say("words.always");
  }
  const days =
    typeof when.days === "object"
      ? list(when.days)
      : say(`words.days.${when.days === "workdays" || when.days === "holidays" ? when.days : "every_day"}`);
  return `${days} ${(when.windows ?? []).join(pick("・", ", "))}`.trim();
}

function daysAWeek({ days_a_week: count }: Widening): string {
  return count === undefined ? t()("words.noCap") : t()("words.daysAWeek", { count });
}

function targets({ targets: to }: Widening, known: KnownNames): string {
  const say = t();
  const zones = (to.zones ?? []).map((zone) =>
    zone === "lgwan" || zone === "internet" || zone === "my_number" ? say(`words.zone.${zone}`) : zone,
  );
  return joined([
    named("pools", list(to.pools, known.pools)),
    named("classes", list(to.classes)),
    named("targetSites", list(to.sites, known.sites)),
    named("zones", zones.join(pick("・", ", "))),
  ]);
}

function terms({ terms: given }: Widening): string {
  const say = t();
  const { total_limit: total, idle_limit: idle, quality, clipboard_in_chars: clipIn, clipboard_out_chars: clipOut } = given ?? {};
  const parts = [
    total === undefined ? "" : say("words.total", { length: lengthWords(total) }),
    idle === undefined ? "" : say("words.idle", { length: lengthWords(idle) }),
    quality === "high" || quality === "standard" || quality === "slow" ? say(`words.quality.${quality}`) : "",
    given?.view_only === true ? say("words.viewOnly") : "",
    clipIn === undefined || clipIn === 0 ? "" : say("words.clipIn", { count: clipIn }),
    clipOut === undefined || clipOut === 0 ? "" : say("words.clipOut", { count: clipOut }),
  ];
  return joined(parts) === "" ? say("words.defaultTerms") : joined(parts);
}

export function seatsWords(seats: PlanCapacity, known: KnownNames): string {
  const say = t();
  return say("words.seats", {
    pool: list([seats.pool], known.pools),
    level: say(`words.level.${seats.level}`),
    seats: seats.seats,
    percent: seats.reserved_percent,
  });
}

export function drillWords(plan: PlanContent, known: KnownNames): string {
  const say = t();
  if (plan.drill === undefined) {
    return say("words.noDrill");
  }
  const lines = (ids: readonly string[] | undefined) => list(ids) || say("words.noLines");
  return say("words.drillWords", {
    pools: list(plan.drill.pools, known.pools),
    first: lines(plan.drill.first),
    second: lines(plan.drill.second),
  });
}
