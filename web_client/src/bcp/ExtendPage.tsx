/** Proposes a later end for an active declaration. Two persons again; until then nothing changes. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import { dateTime } from "../app/format";
import { navigate } from "../app/router";
import { Notice } from "../ui/controls";
import { PageHeading } from "../ui/PageStates";
import { ChoiceGroup, Moment } from "./choices";
import { DiffView } from "./DiffView";
import { bcp } from "./endpoints";
import { useFlash } from "./flash";
import { LevelBand } from "./LevelBand";
import { SignBox } from "./SignBox";
import { useKnownStatus } from "./status";
import { fromTokyoField, toTokyoField } from "./tokyoTime";
import type { DeclarationView } from "./types";
import { useWhatIfOf } from "./useWhatIf";

const MORE_HOURS = [24, 48, 72] as const;
const HOUR = 3_600_000;
/** No declaration may end later than this from now. */
const LONGEST = 14 * 24 * HOUR;

export function ExtendPage({ id }: { readonly id: string }) {
  const { t } = useTranslation("bcp");
  const { active } = useKnownStatus();
  const declaration = active.find((one) => one.id === id);
  return (
    <div className="bcp-narrow">
      <PageHeading title={t("extend.heading")}>{t("extend.heading")}</PageHeading>
      {declaration === undefined ? (
        <Notice kind="error">
          <p>{t("declaration.gone")}</p>
        </Notice>
      ) : (
        <ExtendForm declaration={declaration} />
      )}
    </div>
  );
}

function ExtendForm({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { say } = useFlash();
  const [more, setMore] = useState<string>("24");
  const [until, setUntil] = useState("");
  const end = Date.parse(declaration.ends_at);
  const [now] = useState(gatewayNow);
  const wanted = more === "until" ? fromTokyoField(until) : end + Number(more) * HOUR;
  const bad = wanted !== null && (wanted <= end || wanted > now + LONGEST);
  const endsAt = wanted === null || bad ? null : new Date(wanted).toISOString();
  const asked = useWhatIfOf(endsAt === null ? null : declaration, endsAt);
  return (
    <>
      <section className={`declaration level-${declaration.level}`}>
        <LevelBand declaration={declaration} />
        <div className="declaration-body">
          <p>{t("extend.lead")}</p>
          <p>
            <strong>{t("extend.now", { time: dateTime(declaration.ends_at) })}</strong>
          </p>
        </div>
      </section>
      <ChoiceGroup
        name="extend"
        label={t("extend.label")}
        choices={[
          ...MORE_HOURS.map((hours) => ({
            value: String(hours),
            title: t("extend.more", { count: hours }),
            help: t("countdown.until", { time: dateTime(new Date(end + hours * HOUR).toISOString()) }),
          })),
          { value: "until", title: t("durationStep.until") },
        ]}
        value={more}
        onChange={setMore}
        columns
      />
      {more === "until" ? (
        <Moment
          id="extend-until"
          label={t("durationStep.untilLabel")}
          value={until}
          onChange={setUntil}
          min={toTokyoField(end)}
          max={toTokyoField(now + LONGEST)}
          error={bad ? t(wanted > end ? "problem.untilTooLong" : "problem.untilPast") : null}
          testId="bcp-extend-until"
        />
      ) : null}
      {endsAt === null ? null : (
        <>
          <DiffView
            asked={asked}
            drill={declaration.drill}
            endsAt={endsAt}
            heading={t("diff.headingIf")}
            from={dateTime(declaration.starts_at ?? declaration.created_at)}
          />
          <SignBox
            label={t("sign.extend")}
            effect={t("sign.two")}
            ready={asked.whatIf !== null}
            sign={(absent) => bcp.extend(declaration.id, endsAt, asked.whatIf?.digest ?? "", absent)}
            onSigned={(changed) => {
              say(t("act.done.extend", { time: dateTime(changed.pending?.lapses_at ?? "") }), "next");
              navigate({ page: "bcp", view: { kind: "declaration", id: changed.id } });
            }}
          />
        </>
      )}
    </>
  );
}
