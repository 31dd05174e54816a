/** One version of a plan: in words, with its effect; for the second person the signature that makes it count. */
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { navigate } from "../../app/router";
import { useChanges } from "../../app/useChanges";
import { useLoad } from "../../app/useLoad";
import { pick } from "../../i18n";
import { Button, Notice } from "../../ui/controls";
import { Dialog } from "../../ui/Dialog";
import { ErrorNotice, Loading, PageHeading } from "../../ui/PageStates";
import { useFlash } from "../flash";
import { NotShown } from "../NotShown";
import { mayPropose } from "../permission";
import { useKnownStatus } from "../status";
import type { WhatIf } from "../types";
import { Effect } from "./Effect";
import { ExportLink } from "./ExportLink";
import { plans } from "./endpoints";
import { Signed } from "./PlansPage";
import { SignPlan } from "./SignPlan";
import type { PlanDetail, PlanVersion } from "./types";
import { useNames } from "./useNames";
import { Words } from "./Words";

export function PlanPage({ id }: { readonly id: string }) {
  const { t } = useTranslation("plans");
  const { value, error, reload } = useLoad(useCallback((options) => plans.detail(id, options), [id]));
  useChanges(["bcp"], () => void reload({ background: true }));
  if (value === null) {
    return error === null ? <Loading /> : <NotShown title={t("title")} error={error} onRetry={reload} />;
  }
  return <Detail detail={value} reload={reload} />;
}

function Detail({ detail, reload }: { readonly detail: PlanDetail; readonly reload: () => Promise<void> }) {
  const { t } = useTranslation("plans");
  const { me } = useKnownStatus();
  const { say } = useFlash();
  const known = useNames();
  const { version, content, text } = detail;
  const name = pick(version.name_ja, version.name_en);
  const old = version.standing === "earlier" || version.standing === "rejected" || version.standing === "replaced";
  const done = (words: string) => {
    say(words);
    void reload();
  };
  return (
    <div className="bcp-narrow">
      <PageHeading title={name}>
        {name} {t("versionOf", { version: version.version })}
      </PageHeading>
      <div data-testid="plan-standing" data-standing={version.standing}>
        <p>
          <span className={`tag plan-${version.standing}`}>{t(`standing.${version.standing}`)}</span>
        </p>
        <Signed version={version} />
        {version.note === "" ? null : <p>{`${t("note")}: ${version.note}`}</p>}
      </div>
      <Words plan={content} known={known} />
      {version.standing === "proposed" ? (
        <Adopt detail={detail} onDone={done} />
      ) : (
        <OnDemand detail={detail} />
      )}
      <div className="bcp-actions">
        {mayPropose(me.roles) && version.standing !== "proposed" ? (
          <Button
            kind="secondary"
            onPress={() => navigate({ page: "bcp", view: { kind: "plan-edit", id: version.id } })}
            data-testid="plan-edit"
          >
            {t(old ? "act.restore" : "act.edit")}
          </Button>
        ) : null}
        <ExportLink name={version.id} text={text} />
      </div>
      <details>
        <summary>{t("act.text")}</summary>
        <pre className="plan-text" tabIndex={0} aria-label={t("act.text")}>
          {text}
        </pre>
      </details>
    </div>
  );
}

/** The effect is dear to work out: asked for only when somebody wants to see it. */
function OnDemand({ detail }: { readonly detail: PlanDetail }) {
  const { t } = useTranslation("plans");
  const [wanted, setWanted] = useState(false);
  return wanted ? (
    <Effect text={detail.text} second={(detail.content.second ?? []).length > 0} />
  ) : (
    <div>
      <Button kind="secondary" onPress={() => setWanted(true)} data-testid="plan-effect-ask">
        {t("effect.ask")}
      </Button>
    </div>
  );
}

function Adopt({ detail, onDone }: { readonly detail: PlanDetail; readonly onDone: (words: string) => void }) {
  const { t } = useTranslation("plans");
  const [seen, setSeen] = useState<WhatIf | null>(null);
  const [asking, setAsking] = useState(false);
  const { version } = detail;
  const may = version.may.includes("adopt");
  return (
    <>
      <Effect text={detail.text} second={(detail.content.second ?? []).length > 0} onSeen={setSeen} />
      {may ? (
        <SignPlan
          heading={t("adopt.heading")}
          label={t("adopt.submit")}
          working={t("adopt.working")}
          testId="plan-adopt"
          ready={() => seen !== null}
          disabled={seen === null}
          act={() => plans.adopt(version.id, version.digest, seen?.digest ?? "")}
          onDone={() => onDone(t("adopt.done", { version: version.version }))}
        >
          <p>{seen === null ? t("adopt.wait") : t("adopt.lead")}</p>
        </SignPlan>
      ) : (
        <Notice kind="info" live={false}>
          <p>{t("adopt.own")}</p>
        </Notice>
      )}
      {version.may.includes("reject") ? (
        <div>
          <Button kind="quiet" onPress={() => setAsking(true)} data-testid="plan-reject">
            {t("reject.button")}
          </Button>
        </div>
      ) : null}
      {asking ? (
        <RejectDialog
          version={version}
          onClose={() => setAsking(false)}
          onDone={() => {
            setAsking(false);
            onDone(t("reject.done", { version: version.version }));
          }}
        />
      ) : null}
    </>
  );
}

interface RejectProps {
  readonly version: PlanVersion;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function RejectDialog({ version, onClose, onDone }: RejectProps) {
  const { t } = useTranslation("plans");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const send = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await plans.reject(version.id);
      onDone();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen
      alert
      onClose={onClose}
      title={t("reject.title")}
      testId="plan-reject-dialog"
      actions={
        <>
          <Button kind="secondary" onPress={onClose}>
            {t("common.cancel", { ns: "translation" })}
          </Button>
          <Button kind="danger" busy={busy} onPress={() => void send()} data-testid="plan-reject-confirm">
            {t("reject.button")}
          </Button>
        </>
      }
    >
      <p>{t("reject.body", { version: version.version })}</p>
      {failure === null ? null : <ErrorNotice error={failure} />}
    </Dialog>
  );
}
