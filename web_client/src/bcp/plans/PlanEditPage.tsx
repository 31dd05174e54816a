/** A plan as a form: what it produces is the text of a plan file, checked while it is typed, proposed with a signature. */
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { navigate } from "../../app/router";
import { useLoad } from "../../app/useLoad";
import { pick } from "../../i18n";
import { Button, Notice, TextField } from "../../ui/controls";
import { ErrorNotice, Loading, PageHeading } from "../../ui/PageStates";
import { Area } from "../choices";
import { useFlash } from "../flash";
import { NotShown } from "../NotShown";
import { mayPropose } from "../permission";
import { useKnownStatus } from "../status";
import { lineIds, newPlan, newWidening, otherProblems, problemsAt, textOf } from "./content";
import { Effect } from "./Effect";
import { plans } from "./endpoints";
import { Pair } from "./fields";
import { LineForm } from "./LineForm";
import { Problems } from "./Problems";
import { DrillForm, SeatsForm } from "./SeatsForm";
import { SignPlan } from "./SignPlan";
import type { PlanCheck, PlanContent, PlanLevel, PlanProblem, Widening } from "./types";
import { useCheck } from "./useCheck";
import { useNames } from "./useNames";
import type { KnownNames } from "./words";

export function PlanEditPage({ id }: { readonly id: string }) {
  const { t } = useTranslation("plans");
  const { me } = useKnownStatus();
  if (!mayPropose(me.roles)) {
    return (
      <Notice kind="info" live={false}>
        <p>{t("form.readOnly")}</p>
      </Notice>
    );
  }
  return id === "new" ? <PlanForm start={newPlan()} fresh /> : <FromVersion id={id} />;
}

function FromVersion({ id }: { readonly id: string }) {
  const { t } = useTranslation("plans");
  const { value, error, reload } = useLoad(useCallback((options) => plans.detail(id, options), [id]));
  if (value === null) {
    return error === null ? <Loading /> : <NotShown title={t("title")} error={error} onRetry={reload} />;
  }
  return <PlanForm start={{ ...value.content, version: value.next_version }} fresh={false} />;
}

interface FormProps {
  readonly start: PlanContent;
  /** A plan that there is not yet: its id may be chosen. */
  readonly fresh: boolean;
}

function PlanForm({ start, fresh }: FormProps) {
  const { t } = useTranslation("plans");
  const known = useNames();
  const [plan, setPlan] = useState(start);
  const text = textOf(plan);
  const { check, error } = useCheck(text);
  const problems = check?.problems ?? [];
  const title = fresh ? t("form.titleNew") : t("form.titleEdit", { name: pick(start.name.ja, start.name.en) });
  return (
    <div className="bcp-narrow plan-form">
      <PageHeading title={title}>{title}</PageHeading>
      <p className="lead">{t("form.version", { version: plan.version })}</p>
      <Basics plan={plan} onChange={setPlan} problems={problems} fresh={fresh} />
      <Lines level="first" plan={plan} onChange={setPlan} problems={problems} known={known} />
      <Lines level="second" plan={plan} onChange={setPlan} problems={problems} known={known} />
      <SeatsForm plan={plan} onChange={setPlan} problems={problemsAt(problems, "capacity")} known={known} />
      <DrillForm plan={plan} onChange={setPlan} problems={problemsAt(problems, "drill")} known={known} />
      <CheckResult check={check} error={error} />
      <Propose plan={plan} text={text} check={check} />
    </div>
  );
}

interface PartProps {
  readonly plan: PlanContent;
  readonly onChange: (plan: PlanContent) => void;
  readonly problems: readonly PlanProblem[];
}

const ELSEWHERE = ["first", "second", "capacity", "drill"];

function Basics({ plan, onChange, problems, fresh }: PartProps & { readonly fresh: boolean }) {
  const { t } = useTranslation("plans");
  return (
    <section className="panel" aria-labelledby="form-basics">
      <h2 id="form-basics">{t("words.basics")}</h2>
      <Problems problems={otherProblems(problems, ELSEWHERE)} inForm />
      {fresh ? (
        <TextField
          name="plan-id"
          label={t("words.id")}
          help={t("form.idHelp")}
          value={plan.id}
          onChange={(id) => onChange({ ...plan, id })}
          maxLength={14}
          autoComplete="off"
          testId="plan-id"
        />
      ) : null}
      <Pair label={t("words.plan")} value={plan.name} onChange={(name) => onChange({ ...plan, name })} testId="plan-name" />
      <Pair label={t("words.contact")} value={plan.contact} onChange={(contact) => onChange({ ...plan, contact })} testId="plan-contact" />
      <Pair
        label={t("words.allowed")}
        value={plan.texts.allowed}
        onChange={(allowed) => onChange({ ...plan, texts: { ...plan.texts, allowed } })}
        testId="plan-allowed"
      />
      <Pair
        label={t("words.forbidden")}
        value={plan.texts.forbidden}
        onChange={(forbidden) => onChange({ ...plan, texts: { ...plan.texts, forbidden } })}
        testId="plan-forbidden"
      />
      <TextField
        name="plan-grace"
        label={t("form.grace")}
        help={t("form.graceHelp")}
        value={plan.grace ?? ""}
        onChange={(grace) => onChange({ ...plan, grace })}
        maxLength={8}
        testId="plan-grace"
      />
    </section>
  );
}

interface LinesProps extends PartProps {
  readonly level: PlanLevel;
  readonly known: KnownNames;
}

function Lines({ level, plan, onChange, problems, known }: LinesProps) {
  const { t } = useTranslation("plans");
  const lines = plan[level] ?? [];
  const put = (next: readonly Widening[]) => onChange({ ...plan, [level]: next });
  const own = problems.filter((one) => one.path === `plans[0].${level}`);
  return (
    <section className="panel" aria-labelledby={`form-${level}`}>
      <h2 id={`form-${level}`}>{t(`words.${level}`)}</h2>
      {level === "second" ? <p>{t("form.secondLead")}</p> : null}
      <Problems problems={own} inForm />
      {lines.map((line, index) => (
        <LineForm
          key={index}
          line={line}
          onChange={(next) => put(lines.map((one, place) => (place === index ? next : one)))}
          onRemove={level === "first" && lines.length === 1 ? null : () => put(lines.filter((_one, place) => place !== index))}
          problems={problemsAt(problems, `${level}[${index}]`)}
          known={known}
          testId={`line-${level}-${index}`}
        />
      ))}
      <div>
        <Button
          kind="secondary"
          onPress={() => put([...lines, newWidening(lineIds(plan))])}
          data-testid={`plan-add-${level}`}
        >
          {t(level === "first" ? "form.addFirst" : "form.addSecond")}
        </Button>
      </div>
    </section>
  );
}

function CheckResult({ check, error }: { readonly check: PlanCheck | null; readonly error: unknown }) {
  const { t } = useTranslation("plans");
  if (error !== null) {
    return <ErrorNotice error={error} />;
  }
  const count = (severity: PlanProblem["severity"]) => check?.problems.filter((one) => one.severity === severity).length ?? 0;
  return (
    <div role="status" data-testid="plan-check" data-ok={check === null ? "" : String(check.ok)}>
      {check === null ? (
        <p>{t("form.checking")}</p>
      ) : (
        <Notice kind={check.ok ? (count("warning") > 0 ? "warning" : "success") : "error"} live={false}>
          <p>{check.ok ? t("form.checked") : t("form.errors", { count: count("error") })}</p>
          {count("warning") > 0 ? <p>{t("form.warnings", { count: count("warning") })}</p> : null}
        </Notice>
      )}
    </div>
  );
}

interface ProposeProps {
  readonly plan: PlanContent;
  readonly text: string;
  readonly check: PlanCheck | null;
}

function Propose({ plan, text, check }: ProposeProps) {
  const { t } = useTranslation("plans");
  const { say } = useFlash();
  const [note, setNote] = useState("");
  const [tried, setTried] = useState(false);
  // The text whose effect is on the screen: another one has to be asked for again.
  const [shown, setShown] = useState<string | null>(null);
  const ok = check?.ok === true;
  const missing = note.trim() === "";
  return (
    <>
      {ok && shown === text ? (
        <Effect text={text} second={(plan.second ?? []).length > 0} />
      ) : (
        <div>
          <Button kind="secondary" isDisabled={!ok} onPress={() => setShown(text)} data-testid="plan-effect-ask">
            {t("effect.ask")}
          </Button>
        </div>
      )}
      <SignPlan
        heading={t("form.submit")}
        label={t("form.submit")}
        working={t("form.working")}
        testId="plan-propose"
        disabled={!ok}
        ready={() => {
          setTried(true);
          return !missing;
        }}
        act={() => plans.propose(text, note.trim())}
        onDone={(version) => {
          say(t("form.done", { version: version.version }), "next");
          navigate({ page: "bcp", view: { kind: "plan", id: version.id } }, "replace");
        }}
      >
        <Area
          id="plan-note"
          label={t("form.note")}
          help={t("form.noteHelp")}
          value={note}
          onChange={(typed) => setNote(typed.slice(0, 1_000))}
          error={tried && missing ? t("form.noteMissing") : null}
          testId="plan-note"
        />
      </SignPlan>
    </>
  );
}
