/** Makes a declaration narrower: earlier end, lower level, fewer places, without single persons. One person, at once. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import { dateTime } from "../app/format";
import { useLoad } from "../app/useLoad";
import type { ActDialogProps } from "./Actions";
import { AskDialog } from "./AskDialog";
import { Area, ChoiceGroup, ManyOf, Moment } from "./choices";
import { bcp } from "./endpoints";
import { choicesOf } from "./names";
import { lowerLevels, narrowingOf, ways, type How, type NarrowDraft } from "./narrowing";
import { toTokyoField } from "./tokyoTime";
import type { Level, ScopeKind } from "./types";

export function NarrowDialog({ declaration, onDone, onClose }: ActDialogProps) {
  const { t } = useTranslation("bcp");
  const lower = lowerLevels(declaration.level);
  const [draft, setDraft] = useState<NarrowDraft>({
    how: "ends",
    until: "",
    level: lower[0] ?? null,
    kind: null,
    ids: declaration.scope.ids,
    block: "",
  });
  const [checked, setChecked] = useState(false);
  const change = (part: Partial<NarrowDraft>) => setDraft({ ...draft, ...part });
  const request = narrowingOf(draft, declaration, gatewayNow());
  const problem = typeof request === "string" ? request : null;
  const shown = checked ? problem : null;
  return (
    <AskDialog
      title={t("narrow.title")}
      confirm={t("narrow.confirm")}
      kind="danger"
      testId="bcp-narrow"
      check={() => {
        setChecked(true);
        return problem === null;
      }}
      act={() => bcp.narrow(declaration.id, typeof request === "string" ? {} : request)}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{t("narrow.lead")}</p>
      <ChoiceGroup
        name="narrow-how"
        label={t("narrow.how")}
        choices={ways(declaration).map((how) => ({ value: how, title: t(`narrow.${how}`) }))}
        value={draft.how}
        onChange={(how) => {
          setChecked(false);
          change({ how: how as How });
        }}
        columns
      />
      {draft.how === "ends" ? (
        <Moment
          id="narrow-until"
          label={t("narrow.endsLabel")}
          value={draft.until}
          onChange={(until) => change({ until })}
          min={toTokyoField(gatewayNow())}
          max={toTokyoField(Date.parse(declaration.ends_at))}
          error={shown === "endsMust" ? t("narrow.endsMust", { time: dateTime(declaration.ends_at) }) : null}
          testId="bcp-narrow-until"
        />
      ) : null}
      {draft.how === "level" ? (
        <ChoiceGroup
          name="narrow-level"
          label={t("narrow.levelLabel")}
          choices={lower.map((level) => ({
            value: level,
            title: t(`level.${level}`),
            ...(level === "recovery" ? { help: t("narrow.recovery") } : {}),
          }))}
          value={draft.level}
          onChange={(level) => change({ level: level as Level })}
        />
      ) : null}
      {draft.how === "scope" ? (
        <NarrowScope declaration={declaration} draft={draft} change={change} error={shown === "scopeMust"} />
      ) : null}
      {draft.how === "block" ? (
        <Area
          id="narrow-block"
          label={t("narrow.blockLabel")}
          help={t("narrow.blockHelp")}
          value={draft.block}
          onChange={(block) => change({ block })}
          error={shown === "blockMust" ? t("narrow.blockMust") : null}
          testId="bcp-narrow-block"
          rows={2}
        />
      ) : null}
      <p className="what-happens">{t("narrow.what")}</p>
    </AskDialog>
  );
}

interface NarrowScopeProps {
  readonly declaration: ActDialogProps["declaration"];
  readonly draft: NarrowDraft;
  readonly change: (part: Partial<NarrowDraft>) => void;
  readonly error: boolean;
}

const PARTS = ["site", "department", "duty"] as const;

function NarrowScope({ declaration, draft, change, error }: NarrowScopeProps) {
  const { t } = useTranslation("bcp");
  const { value: scopes } = useLoad(bcp.scopes);
  const { kind: present, ids } = declaration.scope;
  const kind: ScopeKind | null = present === "tenant" ? draft.kind : present;
  if (scopes === null) {
    return null;
  }
  const all = kind === null ? [] : choicesOf(kind, scopes);
  // Names that the lists do not know any more can still be kept or taken out.
  const offered =
    present === "tenant" ? all : ids.map((id) => all.find((one) => one.id === id) ?? { id, name_ja: id, name_en: id });
  return (
    <>
      {present === "tenant" ? (
        <ChoiceGroup
          name="narrow-kind"
          label={t("scopeStep.kind")}
          choices={PARTS.map((part) => ({ value: part, title: t(`kind.${part}`) }))}
          value={draft.kind}
          onChange={(part) => change({ kind: part as ScopeKind, ids: [] })}
          columns
        />
      ) : null}
      {kind === null ? null : (
        <ManyOf
          key={kind}
          name="narrow-ids"
          label={t("narrow.scopeLabel")}
          items={offered}
          value={draft.ids}
          onChange={(kept) => change({ ids: kept })}
          error={error ? t("narrow.scopeMust") : null}
        />
      )}
    </>
  );
}
