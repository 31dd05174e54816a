/** Step 5, the moment of signing: what was filled in, what exactly it changes, then the signature. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { navigate } from "../../app/router";
import { pick } from "../../i18n";
import { DiffView } from "../DiffView";
import type { Flow } from "../draft";
import { bcp } from "../endpoints";
import { useFlash } from "../flash";
import { LevelMark } from "../LevelMark";
import { choicesOf, drillMark, listed, pretendedWords } from "../names";
import { SignBox } from "../SignBox";
import { useStatus } from "../status";
import type { DeclarationView, PlanView, Proposal, Scopes } from "../types";
import { useWhatIf } from "../useWhatIf";

interface SignStepProps {
  readonly flow: Flow;
  readonly proposal: Proposal;
  readonly scopes: Scopes;
  readonly plans: readonly PlanView[];
}

export function SignStep({ flow, proposal, scopes, plans }: SignStepProps) {
  const { t } = useTranslation("bcp");
  const { reload } = useStatus();
  const { say } = useFlash();
  const asked = useWhatIf(proposal);
  const alone = flow !== "declare" || proposal.level === "alert";
  const label =
    flow === "drill"
      ? t("sign.drill")
      : flow === "break-glass"
        ? t("sign.breakGlass")
        : t(proposal.level === "alert" ? "sign.alert" : "sign.declare");

  const signed = (declaration: DeclarationView) => {
    if (declaration.state === "awaiting_approval") {
      say(t("act.done.propose", { time: dateTime(declaration.lapses_at ?? "") }), "next");
      navigate({ page: "bcp", view: { kind: "declaration", id: declaration.id } });
    } else {
      say(t(declaration.drill ? "act.done.drill" : "act.done.active"), "next");
      navigate({ page: "bcp", view: { kind: "board" } });
    }
    void reload();
  };

  return (
    <>
      <Filled proposal={proposal} scopes={scopes} plans={plans} />
      <DiffView
        asked={asked}
        drill={proposal.drill}
        endsAt={proposal.ends_at}
        heading={t(alone ? "diff.heading" : "diff.headingIf")}
        from={t(alone ? "diff.fromNow" : "diff.fromBoth")}
      />
      <SignBox
        label={label}
        effect={t(alone ? "sign.atOnce" : "sign.two")}
        danger={flow === "break-glass"}
        ready={asked.whatIf !== null}
        sign={(absent) => bcp.declare({ ...proposal, absent }, asked.whatIf?.digest ?? "")}
        onSigned={signed}
      />
    </>
  );
}

function Filled({ proposal, scopes, plans }: Omit<SignStepProps, "flow">) {
  const { t } = useTranslation("bcp");
  const { scope, level, drill } = proposal;
  const plan = plans.find((one) => one.id === proposal.plan_id);
  const names = choicesOf(scope.kind, scopes)
    .filter((one) => scope.ids.includes(one.id))
    .map((one) => pick(one.name_ja, one.name_en));
  return (
    <section className={`declaration level-${level}${drill ? " is-drill" : ""}`} data-testid="bcp-filled">
      <div className="level-band">
        <LevelMark level={level} size={36} />
        <p className="band-title">
          {drill ? <span className="drill-word">{drillMark(true)}</span> : null}
          <span className="band-level">{t(`level.${level}`)}</span>
          <span className="band-scope">{scope.kind === "tenant" ? t("kind.tenant") : listed(names)}</span>
        </p>
        {proposal.break_glass ? <p className="band-note">{t("card.breakGlass")}</p> : null}
      </div>
      <div className="declaration-body">
        <dl className="facts">
          <div>
            <dt>{t("card.cause")}</dt>
            <dd>
              {t(`cause.${proposal.cause}`)}: {proposal.reason}
            </dd>
          </div>
          <div>
            <dt>{t("card.plan")}</dt>
            <dd>
              {plan === undefined
                ? proposal.plan_id
                : t("card.planVersion", { name: pick(plan.name_ja, plan.name_en), version: plan.version })}
            </dd>
          </div>
          {drill ? (
            <div>
              <dt>{t("drill.heading")}</dt>
              <dd data-testid="bcp-pretended">{pretendedWords(proposal.injects, scopes.sites) ?? t("drill.none")}</dd>
            </div>
          ) : null}
        </dl>
      </div>
    </section>
  );
}
