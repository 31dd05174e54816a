/** Small fields of the plan's form: a text in both languages, a list of names, some of what is known. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { TextField } from "../../ui/controls";
import { Area, ManyOf } from "../choices";
import type { Named } from "../types";
import { joinNames, splitNames } from "./content";
import type { Bilingual } from "./types";

interface PairProps {
  readonly label: string;
  readonly value: Bilingual | undefined;
  readonly onChange: (value: Bilingual) => void;
  readonly testId: string;
}

/** Both languages, one above the other on a phone. */
export function Pair({ label, value, onChange, testId }: PairProps) {
  const { t } = useTranslation("plans");
  const given = value ?? { ja: "", en: "" };
  return (
    <div className="plan-pair">
      {(["ja", "en"] as const).map((language) => (
        <Area
          key={language}
          id={`${testId}-${language}`}
          label={t("form.inLanguage", { label, language: t(`form.${language}`) })}
          value={given[language]}
          onChange={(typed) => onChange({ ...given, [language]: typed.replace(/\s*\n\s*/g, " ").slice(0, 300) })}
          rows={2}
          testId={`${testId}-${language}`}
        />
      ))}
    </div>
  );
}

interface NamesProps {
  readonly label: string;
  readonly value: readonly string[] | undefined;
  readonly onChange: (value: readonly string[]) => void;
  readonly testId: string;
  readonly help?: string;
}

/** Names typed with commas; what is typed stays as it is until the field is left alone by the person. */
export function Names({ label, value, onChange, testId, help }: NamesProps) {
  const { t } = useTranslation("plans");
  const [typed, setTyped] = useState(joinNames(value));
  return (
    <TextField
      name={testId}
      label={label}
      help={help ?? t("form.names")}
      value={typed}
      onChange={(text) => {
        setTyped(text);
        onChange(splitNames(text));
      }}
      autoComplete="off"
      testId={testId}
    />
  );
}

interface SomeProps {
  readonly name: string;
  readonly label: string;
  readonly items: readonly Named[];
  readonly value: readonly string[] | undefined;
  readonly onChange: (value: readonly string[]) => void;
}

/** Ticks over what is known; what the plan names and nobody knows stays to be seen and unticked. */
export function Some({ name, label, items, value, onChange }: SomeProps) {
  const chosen = value ?? [];
  const unknown = chosen.filter((id) => !items.some((one) => one.id === id));
  const all = [...items, ...unknown.map((id) => ({ id, name_ja: id, name_en: id }))];
  return <ManyOf name={name} label={label} items={all} value={chosen} onChange={onChange} />;
}
