/** One declaration: what it is, who signed, what it changes. When it waits for the caller, the second signature. */
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { navigate } from "../app/router";
import { pick } from "../i18n";
import { Notice } from "../ui/controls";
import { Loading, PageHeading } from "../ui/PageStates";
import { Actions } from "./Actions";
import { Countdown } from "./Countdown";
import { DiffView } from "./DiffView";
import { shortDigest } from "./diff";
import { bcp } from "./endpoints";
import { useFlash } from "./flash";
import { LevelBand } from "./LevelBand";
import { declarationName, pretendedWords, scopeName } from "./names";
import { NotShown } from "./NotShown";
import { isReader, isUnratified, taskOf, type Task } from "./permission";
import { ReachSummary } from "./records/ReachSummary";
import { ReportsOf } from "./records/ReportsOf";
import { RejectExtension } from "./RejectExtension";
import { Restore } from "./Restore";
import { Score } from "./Score";
import { SignBox } from "./SignBox";
import { Signatures } from "./Signatures";
import { useKnownStatus } from "./status";
import type { DeclarationView } from "./types";
import { useNow } from "./useNow";
import { useWhatIfOf } from "./useWhatIf";

/** The declaration by its id, as fresh as the poll: what is on the board now is newer than what was asked for once. */
function useDeclaration(id: string) {
  const { active, waiting } = useKnownStatus();
  const [asked, setAsked] = useState<DeclarationView | null>(null);
  const [error, setError] = useState<unknown>(null);
  const live = [...waiting, ...active].find((one) => one.id === id) ?? null;
  const load = useCallback(() => {
    setError(null);
    bcp
      .declaration(id)
      .then(setAsked)
      .catch((failure: unknown) => setError(failure));
  }, [id]);
  const onBoard = live !== null;
  // Leaving the board means that it has ended: its last state has to be fetched.
  useEffect(() => {
    if (!onBoard) {
      load();
    }
  }, [onBoard, load]);
  return { declaration: live ?? asked, error: live === null ? error : null, load, setAsked };
}

export function DeclarationPage({ id }: { readonly id: string }) {
  const { t } = useTranslation("bcp");
  const { declaration, error, load, setAsked } = useDeclaration(id);
  if (declaration === null) {
    return error === null ? (
      <Loading />
    ) : (
      <NotShown title={t("declaration.title")} error={error} onRetry={load} gone={t("declaration.gone")} />
    );
  }
  const active = declaration.state === "active";
  // Narrowing and lifting must be at hand; turning a proposal down comes after reading what it changes.
  const actions = <Actions declaration={declaration} onChanged={setAsked} />;
  return (
    <div className="bcp-narrow">
      <PageHeading title={declarationName(declaration)}>{t("declaration.title")}</PageHeading>
      <Summary declaration={declaration} />
      {active ? actions : null}
      <Change declaration={declaration} />
      {declaration.starts_at === null ? null : <Score declaration={declaration} />}
      {isOver(declaration) ? <Restore key={declaration.state} declaration={declaration} /> : null}
      <Signatures signatures={declaration.signatures} />
      {active ? null : actions}
      {declaration.starts_at === null ? null : (
        <>
          <section className="panel" aria-labelledby="reach-heading">
            <h2 id="reach-heading">{t("reach.title")}</h2>
            <ReachSummary declaration={declaration} />
          </section>
          <ReportsOf declaration={declaration} />
        </>
      )}
    </div>
  );
}

/** It held and has ended, or is on the way back. */
function isOver({ state, level }: DeclarationView): boolean {
  return state === "lifted" || state === "expired" || (state === "active" && level === "recovery");
}

function Summary({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { plan, state, pending } = declaration;
  const rows: (readonly [string, string])[] = [
    [t("card.state"), t(`state.${state}`)],
    [t("card.scope"), scopeName(declaration)],
    [t("card.cause"), `${pick(declaration.cause_ja, declaration.cause_en)}: ${declaration.reason}`],
    [t("card.plan"), t("card.planVersion", { name: pick(plan.name_ja, plan.name_en), version: plan.version })],
  ];
  if (declaration.drill) {
    const { injects } = declaration;
    const ids = injects === null ? null : { ...injects, sites_down: injects.sites_down.map((site) => site.id) };
    rows.push([t("drill.heading"), pretendedWords(ids, injects?.sites_down ?? []) ?? t("drill.none")]);
  }
  if (declaration.starts_at !== null) {
    rows.push([t("card.from"), dateTime(declaration.starts_at)]);
  }
  rows.push([t("card.until"), dateTime(declaration.ends_at)]);
  if (declaration.ended_at !== null) {
    rows.push([t("card.ended"), dateTime(declaration.ended_at)]);
  }
  if (declaration.end_note !== "") {
    rows.push([t("card.endNote"), declaration.end_note]);
  }
  return (
    <section
      className={`declaration level-${declaration.level}${declaration.drill ? " is-drill" : ""}${state === "active" || state === "awaiting_approval" ? "" : " is-past"}`}
      data-testid="bcp-summary"
      data-state={state}
    >
      <LevelBand declaration={declaration} />
      <div className="declaration-body">
        {state === "active" && !isUnratified(declaration) ? <Countdown end={declaration.ends_at} label={t("countdown.left")} testId="bcp-left" /> : null}
        {pending === null ? null : (
          <p className="warning-line">{t("card.pending", { time: dateTime(pending.ends_at), person: pending.person })}</p>
        )}
        <dl className="facts">
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <p className="digest">
          {t("card.digest")}: <code data-testid="bcp-digest">{shortDigest(pending?.digest ?? declaration.digest)}</code>
          <span className="fine">{t("card.digestHelp")}</span>
        </p>
      </div>
    </section>
  );
}

/** What it changes: with the signature below when the caller is the second person. */
function Change({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { me } = useKnownStatus();
  const now = useNow();
  const task = taskOf(declaration, now);
  const open = declaration.state === "active" || declaration.state === "awaiting_approval";
  const asked = useWhatIfOf(open ? declaration : null);
  if (!open) {
    return null;
  }
  const first = declaration.signatures.find((one) => one.role === "proposed" || one.role === "declared");
  return (
    <>
      {task === null ? null : (
        <Countdown
          end={task.deadline}
          label={t(task.kind === "ratify" ? "task.endsUnratified" : "task.lapses")}
          short={task.kind !== "ratify"}
          testId="bcp-lapses"
        />
      )}
      {task !== null && !task.mine && !isReader(me.roles) ? (
        <Notice kind="info" live={false} testId="bcp-not-mine">
          <p>{t(task.kind === "approve" ? "declaration.waitingOther" : "task.notMine")}</p>
        </Notice>
      ) : null}
      <DiffView
        asked={asked}
        drill={declaration.drill}
        endsAt={declaration.pending?.ends_at ?? declaration.planned_end ?? declaration.ends_at}
        seenByFirst={task?.kind === "extend_approve" ? declaration.pending?.seen_diff : first?.seen_diff}
        heading={t(
          task?.mine === true ? "diff.heading" : declaration.state === "active" ? "diff.headingNow" : "diff.headingIf",
        )}
        from={declaration.starts_at === null ? t("diff.fromBoth") : dateTime(declaration.starts_at)}
      />
      {task?.mine === true ? <Second task={task} seenDiff={asked.whatIf?.digest ?? null} /> : null}
      <RejectExtension declaration={declaration} />
    </>
  );
}

/** The second signature. What is signed is the digest that this page has shown, not one fetched at the last moment. */
function Second({ task, seenDiff }: { readonly task: Task; readonly seenDiff: string | null }) {
  const { t } = useTranslation("bcp");
  const { say } = useFlash();
  const { declaration, kind } = task;
  const sign = (absent: boolean) => {
    const digest = kind === "extend_approve" ? (declaration.pending?.digest ?? "") : declaration.digest;
    const approval = { digest, absent, ...(seenDiff === null ? {} : { seen_diff: seenDiff }) };
    switch (kind) {
      case "approve":
        return bcp.approve(declaration.id, approval);
      case "extend_approve":
        return bcp.approveExtension(declaration.id, approval);
      case "ratify":
        return bcp.ratify(declaration.id, approval);
    }
  };
  return (
    <SignBox
      label={t(`sign.${kind}`)}
      effect={t("sign.approveEffect")}
      ready={seenDiff !== null}
      sign={sign}
      onSigned={() => {
        say(t(`act.done.${kind}`), "next");
        navigate({ page: "bcp", view: { kind: "board" } });
      }}
    />
  );
}
