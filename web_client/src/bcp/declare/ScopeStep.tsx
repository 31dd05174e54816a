/** Step 2: where it applies. */
import { useTranslation } from "react-i18next";
import { ChoiceGroup, ManyOf } from "../choices";
import { choicesOf } from "../names";
import type { ScopeKind, Scopes } from "../types";
import type { StepProps } from "./DeclareFlow";

const KINDS: readonly ScopeKind[] = ["tenant", "site", "department", "duty"];

export function ScopeStep({ flow, draft, change, problems, scopes }: StepProps & { readonly scopes: Scopes }) {
  const { t } = useTranslation("bcp");
  const { kind } = draft;
  const offered = KINDS.filter((one) => one === "tenant" || choicesOf(one, scopes).length > 0);
  return (
    <>
      <ChoiceGroup
        name="scope"
        label={t("scopeStep.kind")}
        choices={offered.map((one) => ({ value: one, title: t(`kind.${one}`), help: t(`scopeStep.kindHelp.${one}`) }))}
        value={kind}
        onChange={(chosen) => change({ kind: chosen as ScopeKind, ids: [] })}
        error={problems.includes("kindMissing") ? t("problem.kindMissing") : null}
        columns
      />
      {kind === null || kind === "tenant" ? null : (
        <ManyOf
          key={kind}
          name="scope-ids"
          label={t(`scopeStep.choose.${kind}`)}
          help={flow === "break-glass" ? t("scopeStep.single") : t("scopeStep.narrowHint")}
          items={choicesOf(kind, scopes)}
          value={draft.ids}
          onChange={(ids) => change({ ids })}
          error={problems.includes("idsMissing") ? t("problem.idsMissing") : null}
          single={flow === "break-glass"}
        />
      )}
    </>
  );
}
