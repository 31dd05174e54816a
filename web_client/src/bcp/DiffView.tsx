/** What a signature changes, exactly: who gains what, what stays forbidden, whether it fits, who is told. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { pick } from "../i18n";
import { Button, Notice } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { ErrorNotice } from "../ui/PageStates";
import { gainsByPeople, sameDiff, shortDigest } from "./diff";
import { Forecast } from "./Forecast";
import { GainRow } from "./GainRow";
import { listed } from "./names";
import { useKnownStatus } from "./status";
import type { WhatIf } from "./types";
import type { Asked } from "./useAsked";

interface DiffViewProps {
  readonly asked: Asked;
  readonly drill: boolean;
  /** Until when it holds; null: a break-glass, until somebody stands in for it. */
  readonly endsAt: string | null;
  /** Digest of the what-if result that the first person saw, when the gateway says. */
  readonly seenByFirst?: string | null | undefined;
  readonly heading: string;
  /** When it begins, in words. */
  readonly from: string;
}

export function DiffView({ asked, drill, endsAt, seenByFirst, heading, from }: DiffViewProps) {
  const { t } = useTranslation("bcp");
  const { whatIf, error, again } = asked;
  return (
    <section className="diff" aria-labelledby="diff-heading" aria-busy={(whatIf === null && error === null) || asked.naming} data-testid="bcp-diff">
      <div className="diff-head">
        <h2 id="diff-heading">{heading}</h2>
        <Button kind="quiet" icon="refresh" onPress={again} data-testid="bcp-diff-again">
          {t("diff.recompute")}
        </Button>
      </div>
      {error === null ? null : <ErrorNotice error={error} onRetry={again} />}
      {whatIf !== null ? (
        <Answer whatIf={whatIf} asked={asked} drill={drill} endsAt={endsAt} seenByFirst={seenByFirst} from={from} />
      ) : error === null ? (
        <div className="loading" role="status">
          <span className="spinner" aria-hidden="true" />
          <p>{t("diff.computing")}</p>
        </div>
      ) : null}
    </section>
  );
}

type AnswerProps = Omit<DiffViewProps, "heading"> & { readonly whatIf: WhatIf };

function Answer({ whatIf, asked, drill, endsAt, seenByFirst, from }: AnswerProps) {
  const { t } = useTranslation("bcp");
  const gains = gainsByPeople(whatIf);
  const same = sameDiff(whatIf, seenByFirst);
  return (
    <>
      {same === "changed" ? (
        <Notice kind="warning" testId="bcp-diff-changed">
          <p>{t("diff.changed")}</p>
        </Notice>
      ) : null}
      <dl className="figures">
        <div className="figure figure-gain">
          <dt>{t("diff.gain")}</dt>
          <dd data-testid="bcp-gain-people">{t("people", { count: whatIf.gain_people })}</dd>
          {whatIf.gain_people === 0 ? null : (
            <dd className="figure-part" data-testid="bcp-gain-now">
              {t("diff.ofThemNow", { count: whatIf.gain_now })}
            </dd>
          )}
        </div>
        <div className="figure">
          <dt>{t("diff.base")}</dt>
          <dd>{t("people", { count: whatIf.base_people })}</dd>
        </div>
        <div className="figure figure-wide">
          <dt>{t("diff.when")}</dt>
          <dd>
            {endsAt === null ? t("diff.toDefault") : t("diff.fromTo", { from, to: dateTime(endsAt) })}
          </dd>
        </div>
      </dl>
      <p className="fine" data-testid="bcp-tried">
        {t("diff.tried", {
          from: dateTime(whatIf.tried_from),
          to: dateTime(whatIf.tried_until),
          places: listed(whatIf.tried_places.map((place) => pick(place.name_ja, place.name_en))),
        })}
      </p>
      {gains.length === 0 ? (
        <Notice kind="info" live={false}>
          <p>{t("diff.nothing")}</p>
        </Notice>
      ) : (
        <>
          <h3>{t("diff.gainsHeading")}</h3>
          <ul className="gains">
            {gains.map((gain) => (
              <GainRow key={gain.pool_id} gain={gain} asked={asked} />
            ))}
          </ul>
        </>
      )}
      <Forbidden whatIf={whatIf} />
      <Forecast whatIf={whatIf} />
      <Told whatIf={whatIf} drill={drill} />
      <p className="digest">
        {t("diff.digest")}: <code data-testid="bcp-diff-digest">{shortDigest(whatIf.digest)}</code>
        {same === "same" ? <span>{t("diff.same")}</span> : null}
        <span className="fine">{t("diff.elapsed", { count: whatIf.elapsed_ms })}</span>
      </p>
    </>
  );
}

function Forbidden({ whatIf }: { readonly whatIf: WhatIf }) {
  const { t } = useTranslation("bcp");
  if (whatIf.forbidden.length === 0) {
    return null;
  }
  return (
    <>
      <h3>{t("diff.forbiddenHeading")}</h3>
      <p className="fine">{t("diff.forbiddenLead")}</p>
      <ul className="forbidden" data-testid="bcp-forbidden">
        {whatIf.forbidden.map((rule) => (
          <li key={rule.rule_id}>
            <Icon name="lock" size={18} />
            <span>
              {pick(rule.text_ja, rule.text_en)}
              <span className="fine">
                {t("diff.guardrail", { id: rule.rule_id })}
                {rule.people > 0 ? ` / ${t("diff.stopped", { count: rule.people })}` : ""}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Told({ whatIf, drill }: { readonly whatIf: WhatIf; readonly drill: boolean }) {
  const { t } = useTranslation("bcp");
  const { officials } = useKnownStatus();
  const names = listed(officials.map((one) => pick(one.title_ja, one.title_en)));
  return (
    <>
      <h3>{t("diff.toldHeading")}</h3>
      <ul className="rules">
        {officials.length === 0 ? null : <li>{t("diff.toldOfficials", { count: officials.length, names })}</li>}
        <li>
          {t("diff.toldPeople", { count: whatIf.told.people })}{" "}
          <span className="fine whole">{t("diff.toldByMail", { count: whatIf.told.with_address })}</span>
        </li>
        {drill ? null : <li>{t("diff.toldLogin")}</li>}
      </ul>
    </>
  );
}
