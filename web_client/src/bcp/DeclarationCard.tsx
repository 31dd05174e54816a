/** One active declaration: level in colour, sign and word, where, how long still, and what one person may do now. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { navigate } from "../app/router";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { Actions } from "./Actions";
import { Countdown } from "./Countdown";
import { LevelBand } from "./LevelBand";
import { declarationName } from "./names";
import { isUnratified } from "./permission";
import { ReachSummary } from "./records/ReachSummary";
import type { DeclarationView } from "./types";

export function DeclarationCard({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { id, drill, level, pending, plan } = declaration;
  const headingId = `declaration-${id}`;
  // Narrowed to end sooner, it ends then with or without a second person.
  const planned = declaration.planned_end;
  const until = planned !== null && Date.parse(planned) > Date.parse(declaration.ends_at) ? planned : null;
  return (
    <li className={`declaration level-${level}${drill ? " is-drill" : ""}`} data-testid={`bcp-declaration-${id}`}>
      <article aria-labelledby={headingId}>
        <LevelBand declaration={declaration} headingId={headingId} />
        <div className="declaration-body">
          <Countdown end={declaration.ends_at} label={t("countdown.left")} testId={`bcp-left-${id}`} />
          <p className="declaration-reason">
            <strong>{pick(declaration.cause_ja, declaration.cause_en)}</strong>
            <span>{declaration.reason}</span>
          </p>
          <p className="fine">{t("card.planVersion", { name: pick(plan.name_ja, plan.name_en), version: plan.version })}</p>
          {isUnratified(declaration) ? (
            <p className="warning-line">
              <strong>{t("card.breakGlass")}</strong>
              {until === null ? null : (
                <>
                  <br />
                  {t("card.breakGlassBody", { time: dateTime(until) })}
                </>
              )}
            </p>
          ) : null}
          {pending === null ? null : (
            <p className="warning-line">{t("card.pending", { time: dateTime(pending.ends_at), person: pending.person })}</p>
          )}
          <ReachSummary declaration={declaration} />
          <div className="declaration-foot">
            <Button
              kind="quiet"
              onPress={() => navigate({ page: "bcp", view: { kind: "declaration", id } })}
              aria-label={t("card.detailNamed", { name: declarationName(declaration) })}
              data-testid={`bcp-detail-${id}`}
            >
              {t("card.detail")}
            </Button>
            <Actions declaration={declaration} />
          </div>
        </div>
      </article>
    </li>
  );
}
