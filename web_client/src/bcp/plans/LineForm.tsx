/** One line of a plan: who, with whose approval, from where, with what, when, to where, on which terms. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, TextField } from "../../ui/controls";
import { ChoiceGroup, Tick } from "../choices";
import { Names, Pair, Some } from "./fields";
import { Problems } from "./Problems";
import type { PlanProblem, Widening } from "./types";
import { both, type KnownNames } from "./words";

interface LineFormProps {
  readonly line: Widening;
  readonly onChange: (line: Widening) => void;
  readonly onRemove: (() => void) | null;
  readonly problems: readonly PlanProblem[];
  readonly known: KnownNames;
  readonly testId: string;
}

type PartProps = Omit<LineFormProps, "onRemove" | "problems">;

export function LineForm(props: LineFormProps) {
  const { line, onChange, onRemove, problems, testId } = props;
  const { t } = useTranslation("plans");
  // Folded, a plan of many lines fits on a page; what is new or faulty is open.
  const [open, setOpen] = useState(both(line.name) === "");
  const shown = open || problems.length > 0;
  return (
    <details
      className="plan-line"
      data-testid={testId}
      open={shown}
      onToggle={(event) => {
        if (event.currentTarget.open !== shown) {
          setOpen(event.currentTarget.open);
        }
      }}
    >
      <summary data-testid={`${testId}-fold`}>
        {t("form.line", { id: line.id })} {both(line.name)}
      </summary>
      <Problems problems={problems} inForm />
      <TextField
        name={`${testId}-id`}
        label={t("form.lineId")}
        value={line.id}
        onChange={(id) => onChange({ ...line, id })}
        maxLength={8}
        testId={`${testId}-id`}
      />
      <Pair label={t("form.lineName")} value={line.name} onChange={(name) => onChange({ ...line, name })} testId={`${testId}-name`} />
      <People {...props} />
      <Pair
        label={t("form.approval")}
        value={line.approval}
        onChange={(approval) => onChange({ ...line, approval })}
        testId={`${testId}-approval`}
      />
      <Places {...props} />
      <When {...props} />
      <DaysAWeek {...props} />
      <Targets {...props} />
      <Terms {...props} />
      {onRemove === null ? null : (
        <div>
          <Button kind="quiet" onPress={onRemove} data-testid={`${testId}-remove`}>
            {t("form.remove", { id: line.id })}
          </Button>
        </div>
      )}
    </details>
  );
}

function People({ line, onChange, known, testId }: PartProps) {
  const { t } = useTranslation("plans");
  const change = (part: Partial<Widening["who"]>) => onChange({ ...line, who: { ...line.who, ...part } });
  const { who } = line;
  return (
    <div className="plan-part" role="group" aria-label={t("words.who")}>
      <h3>{t("words.who")}</h3>
      <Names label={t("form.groups")} value={who.groups} onChange={(groups) => change({ groups })} testId={`${testId}-groups`} />
      <Names
        label={t("form.departments")}
        value={who.departments}
        onChange={(departments) => change({ departments })}
        testId={`${testId}-departments`}
      />
      <Names
        label={t("form.employment")}
        value={who.employment}
        onChange={(employment) => change({ employment })}
        testId={`${testId}-employment`}
      />
      <Some
        name={`${testId}-duties`}
        label={t("form.duties")}
        items={known.duties}
        value={who.duties}
        onChange={(duties) => change({ duties })}
      />
      <Some
        name={`${testId}-conditional`}
        label={t("form.conditional")}
        items={known.duties}
        value={who.conditional_duties}
        onChange={(duties) => change({ conditional_duties: duties })}
      />
      <Tick
        isSelected={who.substitutes === true}
        onChange={(substitutes) => change({ substitutes })}
        testId={`${testId}-substitutes`}
      >
        {t("form.substitutes")}
      </Tick>
    </div>
  );
}

const KINDS = ["managed", "thin", "byod", "tablet"] as const;

function Places({ line, onChange, known, testId }: PartProps) {
  const { t } = useTranslation("plans");
  const anywhere = line.places.anywhere === true;
  const devices = line.devices ?? {};
  const kinds = KINDS.map((id) => ({ id, name_ja: t(`form.kind.${id}`), name_en: t(`form.kind.${id}`) }));
  const withDevices = (part: Partial<NonNullable<Widening["devices"]>>) => onChange({ ...line, devices: { ...devices, ...part } });
  return (
    <div className="plan-part" role="group" aria-label={t("form.place")}>
      <ChoiceGroup
        name={`${testId}-place`}
        label={t("form.place")}
        columns
        choices={[
          { value: "anywhere", title: t("form.anywhere") },
          { value: "some", title: t("form.somewhere") },
        ]}
        value={anywhere ? "anywhere" : "some"}
        onChange={(value) => onChange({ ...line, places: value === "anywhere" ? { anywhere: true } : {} })}
      />
      {anywhere ? null : (
        <>
          <Names
            label={t("form.networks")}
            value={line.places.networks}
            onChange={(networks) => onChange({ ...line, places: { ...line.places, networks } })}
            testId={`${testId}-networks`}
          />
          <Some
            name={`${testId}-sites`}
            label={t("form.sites")}
            items={known.sites}
            value={line.places.sites}
            onChange={(sites) => onChange({ ...line, places: { ...line.places, sites } })}
          />
        </>
      )}
      <Some
        name={`${testId}-kinds`}
        label={t("form.device")}
        items={kinds}
        value={devices.kinds}
        onChange={(chosen) => withDevices({ kinds: chosen })}
      />
      <Tick
        isSelected={devices.registered === true}
        onChange={(registered) => {
          const { registered: _before, ...rest } = devices;
          onChange({ ...line, devices: registered ? { ...rest, registered } : rest });
        }}
        testId={`${testId}-registered`}
      >
        {t("form.deviceRegistered")}
      </Tick>
      <p className="fine">{t("words.noDeviceYet")}</p>
    </div>
  );
}

const DAYS = ["every_day", "workdays", "holidays"] as const;

function When({ line, onChange, testId }: PartProps) {
  const { t } = useTranslation("plans");
  const hours = line.hours ?? {};
  const days = typeof hours.days === "string" ? hours.days : "every_day";
  const listed = typeof hours.days === "object";
  return (
    <div className="plan-part" role="group" aria-label={t("words.hours")}>
      <h3>{t("words.hours")}</h3>
      <Names
        label={t("form.windows")}
        help={t("form.windowsHelp")}
        value={hours.windows}
        onChange={(windows) => onChange({ ...line, hours: { ...hours, windows } })}
        testId={`${testId}-windows`}
      />
      {listed ? (
        <p>{`${t("form.days")}: ${(hours.days as readonly string[]).join(", ")}`}</p>
      ) : (
        <ChoiceGroup
          name={`${testId}-days`}
          label={t("form.days")}
          columns
          choices={DAYS.map((value) => ({ value, title: t(`words.days.${value}`) }))}
          value={days}
          onChange={(value) => {
            const { days: _before, ...rest } = hours;
            onChange({ ...line, hours: value === "every_day" ? rest : { ...rest, days: value } });
          }}
        />
      )}
    </div>
  );
}

const NUMBERS = [1, 2, 3, 4, 5, 6] as const;

function DaysAWeek({ line, onChange, testId }: PartProps) {
  const { t } = useTranslation("plans");
  const { days_a_week: chosen, ...rest } = line;
  // Seven is no cap, but a file may say so.
  const numbers = chosen === 7 ? [...NUMBERS, 7] : NUMBERS;
  return (
    <ChoiceGroup
      name={`${testId}-days-a-week`}
      label={t("form.daysAWeek")}
      columns
      choices={[
        { value: "all", title: t("words.noCap") },
        ...numbers.map((count) => ({ value: String(count), title: t("words.daysAWeek", { count }) })),
      ]}
      value={chosen === undefined ? "all" : String(chosen)}
      onChange={(value) => onChange(value === "all" ? rest : { ...rest, days_a_week: Number(value) })}
    />
  );
}

const ZONES = ["lgwan", "internet"] as const;

function Targets({ line, onChange, known, testId }: PartProps) {
  const { t } = useTranslation("plans");
  const { targets } = line;
  const change = (part: Partial<Widening["targets"]>) => onChange({ ...line, targets: { ...targets, ...part } });
  const zones = ZONES.map((id) => ({ id, name_ja: t(`words.zone.${id}`), name_en: t(`words.zone.${id}`) }));
  return (
    <div className="plan-part" role="group" aria-label={t("words.targets")}>
      <h3>{t("words.targets")}</h3>
      <Some name={`${testId}-pools`} label={t("form.pools")} items={known.pools} value={targets.pools} onChange={(pools) => change({ pools })} />
      <Names label={t("form.classes")} value={targets.classes} onChange={(classes) => change({ classes })} testId={`${testId}-classes`} />
      <Some name={`${testId}-zones`} label={t("form.zones")} items={zones} value={targets.zones} onChange={(chosen) => change({ zones: chosen })} />
    </div>
  );
}

const QUALITIES = ["high", "standard", "slow"] as const;

function Terms({ line, onChange, testId }: PartProps) {
  const { t } = useTranslation("plans");
  const terms = line.terms ?? {};
  const change = (part: { readonly [key in keyof typeof terms]?: (typeof terms)[key] | undefined }) => {
    const merged = Object.entries({ ...terms, ...part }).filter(([, value]) => value !== undefined);
    onChange({ ...line, terms: Object.fromEntries(merged) });
  };
  const digits = (typed: string) => (/^\d+$/.test(typed.trim()) ? Number(typed.trim()) : undefined);
  return (
    <div className="plan-part" role="group" aria-label={t("words.terms")}>
      <h3>{t("words.terms")}</h3>
      <div className="plan-pair">
        <TextField
          name={`${testId}-total`}
          label={t("form.total")}
          help={t("form.lengthHelp")}
          value={terms.total_limit ?? ""}
          onChange={(total) => change({ total_limit: total === "" ? undefined : total })}
          maxLength={8}
          testId={`${testId}-total`}
        />
        <TextField
          name={`${testId}-idle`}
          label={t("form.idle")}
          help={t("form.lengthHelp")}
          value={terms.idle_limit ?? ""}
          onChange={(idle) => change({ idle_limit: idle === "" ? undefined : idle })}
          maxLength={8}
          testId={`${testId}-idle`}
        />
        <TextField
          name={`${testId}-clip`}
          label={t("form.clipIn")}
          help={t("form.clipHelp")}
          value={terms.clipboard_in_chars === undefined ? "" : String(terms.clipboard_in_chars)}
          onChange={(typed) => change({ clipboard_in_chars: digits(typed) })}
          inputMode="numeric"
          maxLength={6}
          testId={`${testId}-clip`}
        />
      </div>
      <ChoiceGroup
        name={`${testId}-quality`}
        label={t("form.quality")}
        columns
        choices={[
          { value: "usual", title: t("form.usual") },
          ...QUALITIES.map((value) => ({ value, title: t(`words.quality.${value}`) })),
        ]}
        value={terms.quality ?? "usual"}
        onChange={(value) => change({ quality: value === "usual" ? undefined : value })}
      />
      <Tick
        isSelected={terms.view_only === true}
        onChange={(viewOnly) => change({ view_only: viewOnly ? true : undefined })}
        testId={`${testId}-view-only`}
      >
        {t("form.viewOnly")}
      </Tick>
    </div>
  );
}
