/**
 * Declare in five steps: cause, scope, level and plan, duration, signing. Drill and break-glass are the same way with
 * other clothes. Nothing is sent before the signature; a step back in the history is a step back here.
 */
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../../api/http";
import { guardBack, navigate } from "../../app/router";
import { useLoad } from "../../app/useLoad";
import { Button, Notice } from "../../ui/controls";
import { Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";
import { ErrorNotice, Loading, PageHeading } from "../../ui/PageStates";
import {
  emptyDraft,
  problems,
  stepsOf,
  toProposal,
  type Draft,
  type Flow,
  type Problem,
  type StepName,
} from "../draft";
import { bcp } from "../endpoints";
import { isReader, mayBreakGlass } from "../permission";
import { useKnownStatus } from "../status";
import type { PlanView, Proposal, Scopes } from "../types";
import { CauseStep } from "./CauseStep";
import { DurationStep } from "./DurationStep";
import { LevelStep } from "./LevelStep";
import { Pretend } from "./Pretend";
import { ScopeStep } from "./ScopeStep";
import { SignStep } from "./SignStep";

export interface StepProps {
  readonly flow: Flow;
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  /** Empty until the person has tried to go on. */
  readonly problems: readonly Problem[];
}

export function DeclareFlow({ flow }: { readonly flow: Flow }) {
  const { t } = useTranslation("bcp");
  const { me } = useKnownStatus();
  const plans = useLoad(bcp.plans);
  const scopes = useLoad(bcp.scopes);
  const error = plans.error ?? scopes.error;
  const barred = isReader(me.roles)
    ? t("readOnly")
    : flow === "break-glass" && !mayBreakGlass(me)
      ? t("board.breakGlassOfficials")
      : null;
  if (barred !== null) {
    return (
      <Notice kind="error" testId="bcp-barred">
        <p>{barred}</p>
      </Notice>
    );
  }
  if (plans.value === null || scopes.value === null) {
    return error === null ? (
      <Loading />
    ) : (
      <ErrorNotice error={error} onRetry={() => Promise.all([plans.reload(), scopes.reload()])} />
    );
  }
  return <Steps flow={flow} plans={plans.value.items} scopes={scopes.value} />;
}

interface StepsProps {
  readonly flow: Flow;
  readonly plans: readonly PlanView[];
  readonly scopes: Scopes;
}

function Steps({ flow, plans, scopes }: StepsProps) {
  const { t } = useTranslation("bcp");
  const { active } = useKnownStatus();
  const steps = stepsOf(flow);
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(flow, plans));
  const [at, setAt] = useState(0);
  const [checked, setChecked] = useState(false);
  const [tries, setTries] = useState(0);
  const [leaving, setLeaving] = useState(false);
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const step = steps[at] ?? "cause";
  const found = checked ? problems(step, draft, { flow, plans, now: gatewayNow() }) : [];

  const faults = useRef<HTMLDivElement>(null);
  // The button stands at the foot of the page, what to correct at its head: on a phone that is another screen.
  useEffect(() => {
    if (tries > 0) {
      faults.current?.focus();
      faults.current?.scrollIntoView({ block: "center" });
    }
  }, [tries]);

  const go = (where: number) => {
    setChecked(false);
    setAt(where);
    window.scrollTo(0, 0);
  };
  const back = () => (at === 0 ? setLeaving(true) : go(at - 1));
  useBack(back);

  const next = () => {
    setChecked(true);
    if (problems(step, draft, { flow, plans, now: gatewayNow() }).length > 0) {
      setTries(tries + 1);
      return;
    }
    if (steps[at + 1] === "sign") {
      setProposal(toProposal(draft, flow, gatewayNow(), active));
    }
    go(at + 1);
  };
  const props: StepProps = {
    flow,
    draft,
    change: (part) => setDraft({ ...draft, ...part }),
    problems: found,
  };
  return (
    <div className={`flow flow-${flow}`} data-testid="bcp-flow" data-step={step}>
      <FlowHead flow={flow} steps={steps} at={at} />
      <div ref={faults} tabIndex={-1} className="faults">
        {found.length === 0 ? null : (
          <Notice kind="error" title={t("flow.fix")} testId="bcp-problems">
            <ul className="rules">
              {found.map((problem) => (
                <li key={problem}>{t(`problem.${problem}`)}</li>
              ))}
            </ul>
          </Notice>
        )}
      </div>
      {step === "cause" ? <CauseStep {...props} /> : null}
      {step === "scope" ? <ScopeStep {...props} scopes={scopes} /> : null}
      {step === "level" ? <LevelStep {...props} plans={plans} /> : null}
      {step === "duration" ? <DurationStep {...props} /> : null}
      {step === "duration" && flow === "drill" ? (
        <Pretend
          injects={draft.injects}
          scopes={scopes}
          onChange={(injects) => setDraft({ ...draft, injects })}
        />
      ) : null}
      {step === "sign" && proposal !== null ? (
        <SignStep flow={flow} proposal={proposal} scopes={scopes} plans={plans} />
      ) : null}
      <div className="flow-foot">
        <Button kind="secondary" icon="chevronLeft" onPress={back} data-testid="bcp-previous">
          {at === 0 ? t("cancel") : t("previous")}
        </Button>
        {step === "sign" ? null : (
          <Button kind={flow === "break-glass" ? "danger" : "primary"} onPress={next} data-testid="bcp-next">
            {t("next")}
          </Button>
        )}
      </div>
      <Dialog
        isOpen={leaving}
        onClose={() => setLeaving(false)}
        title={t("flow.leaveTitle")}
        testId="bcp-leave"
        actions={
          <>
            <Button kind="secondary" onPress={() => setLeaving(false)}>
              {t("flow.leaveNo")}
            </Button>
            <Button
              kind="primary"
              onPress={() => navigate({ page: "bcp", view: { kind: "board" } })}
              data-testid="bcp-leave-confirm"
            >
              {t("flow.leaveYes")}
            </Button>
          </>
        }
      >
        <p>{t("flow.leaveBody")}</p>
      </Dialog>
    </div>
  );
}

/** While the flow is open, the phone's own "back" is a step back in it. */
function useBack(back: () => void): void {
  useEffect(() => {
    guardBack(back);
    return () => guardBack(null);
  }, [back]);
}

interface HeadProps {
  readonly flow: Flow;
  readonly steps: readonly StepName[];
  readonly at: number;
}

function FlowHead({ flow, steps, at }: HeadProps) {
  const { t } = useTranslation("bcp");
  const step = steps[at] ?? "cause";
  const title = flow === "drill" && (step === "cause" || step === "duration") ? t(`flow.drillTitles.${step}`) : t(`flow.stepTitles.${step}`);
  return (
    <header className="flow-head">
      <p className="flow-name">
        {flow === "declare" ? null : <Icon name={flow === "drill" ? "clipboard" : "warning"} />}
        <span>
          {flow === "drill" ? t("drillMark") : ""}
          {t(`flow.${flow}`)}
        </span>
      </p>
      <ol className="flow-steps" aria-label={t("flow.step", { step: at + 1, total: steps.length })}>
        {steps.map((name, index) => (
          <li
            key={name}
            className={index < at ? "flow-done" : index === at ? "flow-now" : "flow-next"}
            {...(index === at ? { "aria-current": "step" as const } : {})}
          >
            <span className="flow-number">{index + 1}</span>
            <span className="flow-word">{t(`flow.steps.${name}`)}</span>
          </li>
        ))}
      </ol>
      <PageHeading key={step} title={`${t(`flow.${flow}`)} ${at + 1}/${steps.length}`}>
        {title}
      </PageHeading>
      {flow === "drill" ? <p className="drill-note">{t("flow.drillNote")}</p> : null}
      {flow === "break-glass" ? (
        <div className="glass-note">
          <p>
            <strong>{t("flow.breakGlassNote")}</strong>
          </p>
          {step === "cause" || step === "sign" ? (
            <ul className="rules">
              <li>{t("flow.breakGlassRule1")}</li>
              <li>{t("flow.breakGlassRule2")}</li>
              <li>{t("flow.breakGlassRule3")}</li>
            </ul>
          ) : null}
        </div>
      ) : null}
    </header>
  );
}
