/** The level at every site, and at those departments and duties where it differs; the officials in their order. */
import { useTranslation } from "react-i18next";
import { useMe } from "../app/identity";
import { useLoad } from "../app/useLoad";
import { pick } from "../i18n";
import { bcp } from "./endpoints";
import { LevelMark } from "./LevelMark";
import { situationAt, type ShownLevel } from "./situation";
import { useKnownStatus } from "./status";
import type { Named, ScopeKind } from "./types";
import { useNow } from "./useNow";

export function Places() {
  const { t } = useTranslation("bcp");
  const { value: scopes } = useLoad(bcp.scopes);
  if (scopes === null) {
    return null;
  }
  return (
    <section className="panel bcp-places" aria-labelledby="places" data-testid="bcp-places">
      <h2 id="places">{t("board.places")}</h2>
      <Kind kind="site" heading={t("board.sites")} items={scopes.sites} all />
      <Kind kind="department" heading={t("board.departments")} items={scopes.departments} />
      <Kind kind="duty" heading={t("board.duties")} items={scopes.duties} />
    </section>
  );
}

interface KindProps {
  readonly kind: ScopeKind;
  readonly heading: string;
  readonly items: readonly Named[];
  /** Shows every one, not only those that differ from the rest. */
  readonly all?: boolean;
}

function Kind({ kind, heading, items, all = false }: KindProps) {
  const { t } = useTranslation("bcp");
  const { active } = useKnownStatus();
  const now = useNow(5_000);
  if (items.length === 0) {
    return null;
  }
  // Nobody is called "": what holds there holds for the whole municipality.
  const rest = situationAt(kind, "", active, now);
  const rows = items.map((item) => ({ item, situation: situationAt(kind, item.id, active, now) }));
  const different = rows.filter(({ situation }) => situation.level !== rest.level || situation.drill !== rest.drill);
  const shown = all ? rows : different;
  return (
    <div className="places-kind">
      <h3>{heading}</h3>
      {shown.length === 0 ? null : (
        <ul className="places">
          {shown.map(({ item, situation }) => (
            <Place key={item.id} name={pick(item.name_ja, item.name_en)} level={situation.level} drill={situation.drill} />
          ))}
        </ul>
      )}
      {all ? null : (
        <p className="fine">
          {t(different.length === 0 ? "board.allSame" : "board.onlyDifferent", { level: t(`level.${rest.level}`) })}
        </p>
      )}
    </div>
  );
}

function Place({ name, level, drill }: { readonly name: string; readonly level: ShownLevel; readonly drill: boolean }) {
  const { t } = useTranslation("bcp");
  return (
    <li className={`place level-${level}${drill ? " is-drill" : ""}`}>
      <LevelMark level={level} size={24} />
      <span className="place-name">{name}</span>
      <strong>{t(`levelShort.${level}`)}</strong>
      {drill ? <span className="drill-tag">{t("board.placeDrill")}</span> : null}
    </li>
  );
}

export function Officials() {
  const { t } = useTranslation("bcp");
  const { officials } = useKnownStatus();
  const { user } = useMe();
  if (officials.length === 0) {
    return null;
  }
  return (
    <section className="panel bcp-officials" aria-labelledby="officials">
      <h2 id="officials">{t("board.officials")}</h2>
      <ol className="officials">
        {[...officials]
          .sort((a, b) => a.rank - b.rank)
          .map((one) => (
            <li key={`${one.rank} ${one.username}`}>
              <span className="fine">{t("board.rank", { rank: one.rank })}</span>
              <span>{pick(one.title_ja, one.title_en)}</span>
              {one.username === user.username ? <span className="tag tag-current">{t("board.you")}</span> : null}
            </li>
          ))}
      </ol>
    </section>
  );
}
