/** Size of the picture, quality, keyboard in front of the person. */
import { Checkbox, Label, Radio, RadioGroup } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Quality } from "../../api/types";
import { CheckMark } from "../../ui/CheckMark";
import type { LocalLayout } from "../keyPipeline";
import { mayChoose } from "../quality";
import type { ScaleMode } from "../settings";
import type { Viewer } from "../useViewer";

interface Option {
  readonly value: string;
  readonly label: string;
  readonly off?: boolean;
}

export function DisplayPanel({ viewer }: { readonly viewer: Viewer }) {
  const { t } = useTranslation();
  const { settings, change, state } = viewer;
  const granted = state.info?.obligations.quality ?? "standard";
  const viewOnly = state.info?.obligations.view_only === true;
  const quality = (value: Quality): Option => ({
    value,
    label: t(`viewer.display.${value}`),
    off: !mayChoose(value, granted),
  });
  const detected = t(settings.detectedLayout === "jis" ? "viewer.display.detectedJis" : "viewer.display.detectedUs");
  return (
    <>
      <Choice
        label={t("viewer.display.scale")}
        value={viewOnly && settings.scale === "follow" ? "fit" : settings.scale}
        onChange={(value) => change({ scale: value as ScaleMode })}
        options={[
          ...(viewOnly ? [] : [{ value: "follow", label: t("viewer.display.follow") }]),
          { value: "fit", label: t("viewer.display.fit") },
          { value: "one", label: t("viewer.display.one") },
        ]}
      />
      {settings.scale === "one" ? (
        <Switch label={t("viewer.display.drag")} on={settings.drag} onChange={(drag) => change({ drag })} />
      ) : null}
      <Choice
        label={t("viewer.display.quality")}
        value={settings.quality}
        onChange={(value) => change({ quality: value as Quality })}
        options={[quality("high"), quality("standard"), quality("slow")]}
        {...(granted === "high" ? {} : { note: t("viewer.display.capped") })}
      />
      {viewOnly ? null : (
        <Choice
          label={t("viewer.display.keyboard")}
          value={settings.layout ?? "auto"}
          onChange={(value) => change({ layout: value === "auto" ? null : (value as LocalLayout) })}
          options={[
            { value: "auto", label: t("viewer.display.auto", { detected }) },
            { value: "jis", label: t("viewer.display.jis") },
            { value: "us", label: t("viewer.display.us") },
          ]}
        />
      )}
      <Switch
        label={t("viewer.display.cursor")}
        on={settings.dotCursor}
        onChange={(dotCursor) => change({ dotCursor })}
      />
    </>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly Option[];
  readonly onChange: (value: string) => void;
  readonly note?: string;
}

function Choice({ label, value, options, onChange, note }: ChoiceProps) {
  return (
    <RadioGroup className="choices" value={value} onChange={onChange}>
      <Label className="field-label">{label}</Label>
      {options.map((option) => (
        <Radio
          key={option.value}
          value={option.value}
          isDisabled={option.off ?? false}
          className="radio"
          data-testid={`choice-${option.value}`}
        >
          <span className="radio-dot" aria-hidden="true" />
          <span>{option.label}</span>
        </Radio>
      ))}
      {note === undefined ? null : <p className="fine">{note}</p>}
    </RadioGroup>
  );
}

function Switch({ label, on, onChange }: { readonly label: string; readonly on: boolean; readonly onChange: (on: boolean) => void }) {
  return (
    <Checkbox className="checkbox" isSelected={on} onChange={onChange}>
      <CheckMark />
      <span>{label}</span>
    </Checkbox>
  );
}
