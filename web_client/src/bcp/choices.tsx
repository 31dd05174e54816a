/** Choices as large cards: one of several, or several of many. React Aria brings arrow keys, touch and the spoken parts. */
import { useState, type ReactNode } from "react";
import {
  Checkbox as AriaCheckbox,
  CheckboxGroup,
  FieldError,
  Label,
  Radio,
  RadioGroup,
  Text,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { pick } from "../i18n";
import { CheckMark } from "../ui/CheckMark";
import { Button, TextField } from "../ui/controls";
import { Name } from "../ui/Name";
import type { Named } from "./types";

export interface Choice {
  readonly value: string;
  readonly title: string;
  readonly help?: ReactNode;
  readonly mark?: ReactNode;
}

interface ChoiceGroupProps {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly value: string | null;
  readonly onChange: (value: string) => void;
  readonly error?: string | null;
  readonly columns?: boolean;
}

export function ChoiceGroup({ name, label, choices, value, onChange, error = null, columns = false }: ChoiceGroupProps) {
  return (
    <RadioGroup
      className="choices"
      name={name}
      value={value}
      onChange={onChange}
      isInvalid={error !== null}
      validationBehavior="aria"
      data-testid={`bcp-${name}`}
    >
      <Label className="field-label">{label}</Label>
      <FieldError className="field-error">{error}</FieldError>
      <div className={`choice-cards${columns ? " choice-columns" : ""}`}>
        {choices.map((choice) => (
          <Radio key={choice.value} value={choice.value} className="choice-card" data-testid={`bcp-${name}-${choice.value}`}>
            <span className="choice-dot" aria-hidden="true" />
            {choice.mark}
            <span className="choice-words">
              <span className="choice-title">{choice.title}</span>
              {choice.help === undefined ? null : <span className="choice-help">{choice.help}</span>}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

interface ManyProps {
  readonly name: string;
  readonly label: string;
  readonly items: readonly Named[];
  readonly value: readonly string[];
  readonly onChange: (value: readonly string[]) => void;
  readonly error?: string | null;
  readonly help?: string;
  /** One only: choosing another one takes its place. */
  readonly single?: boolean;
}

const FILTER_FROM = 9;

/** Tick boxes with a filter when there are many. What is chosen stays chosen while it is filtered away. */
export function ManyOf({ name, label, items, value, onChange, error = null, help, single = false }: ManyProps) {
  const { t } = useTranslation("bcp");
  const [filter, setFilter] = useState("");
  const wanted = filter.normalize("NFKC").trim().toLowerCase();
  const shown = items.filter((item) => `${item.name_ja} ${item.name_en} ${item.id}`.toLowerCase().includes(wanted));
  const change = (next: readonly string[]) =>
    onChange(single ? next.filter((id) => !value.includes(id)).slice(-1) : next);
  return (
    <div className="many">
      <CheckboxGroup
        className="choices"
        value={[...value]}
        onChange={change}
        isInvalid={error !== null}
        validationBehavior="aria"
        data-testid={`bcp-${name}`}
      >
        <Label className="field-label">{label}</Label>
        {help === undefined ? null : (
          <Text slot="description" className="field-help">
            {help}
          </Text>
        )}
        <FieldError className="field-error">{error}</FieldError>
        {items.length < FILTER_FROM ? null : (
          <TextField
            name={`${name}-filter`}
            label={t("scopeStep.filter")}
            value={filter}
            onChange={setFilter}
            autoComplete="off"
            testId={`bcp-${name}-filter`}
          />
        )}
        <div className="many-list">
          {shown.map((item) => (
            <AriaCheckbox key={item.id} value={item.id} className="checkbox many-item" data-testid={`bcp-${name}-${item.id}`}>
              <CheckMark />
              <Name>{pick(item.name_ja, item.name_en)}</Name>
            </AriaCheckbox>
          ))}
          {shown.length === 0 ? <p className="fine">{t("scopeStep.nothing")}</p> : null}
        </div>
      </CheckboxGroup>
      <div className="many-foot">
        <p role="status">{t("scopeStep.chosen", { count: value.length })}</p>
        {single ? null : (
          <span>
            <Button kind="quiet" onPress={() => onChange(items.map((item) => item.id))} data-testid={`bcp-${name}-all`}>
              {t("scopeStep.all")}
            </Button>
            <Button kind="quiet" onPress={() => onChange([])} isDisabled={value.length === 0}>
              {t("scopeStep.none")}
            </Button>
          </span>
        )}
      </div>
    </div>
  );
}

interface TickProps {
  readonly isSelected: boolean;
  readonly onChange: (on: boolean) => void;
  readonly children: ReactNode;
  readonly invalid?: boolean;
  readonly isDisabled?: boolean;
  readonly testId: string;
}

export function Tick({ isSelected, onChange, children, invalid = false, isDisabled = false, testId }: TickProps) {
  return (
    <AriaCheckbox
      className={`checkbox tick${invalid ? " tick-missing" : ""}`}
      isSelected={isSelected}
      onChange={onChange}
      isInvalid={invalid}
      isDisabled={isDisabled}
      data-testid={testId}
    >
      <CheckMark />
      <span>{children}</span>
    </AriaCheckbox>
  );
}

interface AreaProps {
  readonly id: string;
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | null;
  readonly testId: string;
  readonly rows?: number;
}

/** A few lines of text. The native element grows with what React Aria cannot: the phone's own dictation. */
export function Area({ id, label, help, value, onChange, error = null, testId, rows = 3 }: AreaProps) {
  const described = [help === undefined ? null : `${id}-help`, error === null ? null : `${id}-error`].filter(
    (one) => one !== null,
  );
  return (
    <div className="field" {...(error === null ? {} : { "data-invalid": true })}>
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      {help === undefined ? null : (
        <p className="field-help" id={`${id}-help`}>
          {help}
        </p>
      )}
      <textarea
        id={id}
        className="text-area"
        rows={rows}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error !== null}
        {...(described.length === 0 ? {} : { "aria-describedby": described.join(" ") })}
        data-testid={testId}
      />
      {error === null ? null : (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface MomentProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly min: string;
  readonly max: string;
  readonly error?: string | null;
  readonly testId: string;
}

/** Date and time with the phone's own picker, in Tokyo time. */
export function Moment({ id, label, value, onChange, min, max, error = null, testId }: MomentProps) {
  return (
    <div className="field" {...(error === null ? {} : { "data-invalid": true })}>
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        type="datetime-local"
        className="field-input"
        value={value}
        min={min}
        max={max}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error !== null}
        {...(error === null ? {} : { "aria-describedby": `${id}-error` })}
        data-testid={testId}
      />
      {error === null ? null : (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
