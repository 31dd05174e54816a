/** Every declaration there has been, newest first. */
import { useEffect, useRef, useState } from "react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { navigate } from "../app/router";
import { useLoad } from "../app/useLoad";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { ErrorNotice } from "../ui/PageStates";
import { bcp } from "./endpoints";
import { LevelMark } from "./LevelMark";
import { drillMark, levelName, scopeName } from "./names";
import { useKnownStatus } from "./status";
import type { DeclarationView } from "./types";

const FEW = 5;

export function History() {
  const { t } = useTranslation("bcp");
  const { value, error, reload } = useLoad(bcp.history);
  const { active, waiting } = useKnownStatus();
  const [all, setAll] = useState(false);
  // Something began or ended: then the list is another one.
  const key = [...active, ...waiting].map((one) => `${one.id} ${one.state}`).join(" ");
  const known = useRef(key);
  useEffect(() => {
    if (known.current !== key) {
      known.current = key;
      void reload();
    }
  }, [key, reload]);
  const items = value?.items ?? [];
  const shown = all ? items : items.slice(0, FEW);
  return (
    <section className="panel bcp-history" aria-labelledby="history" data-testid="bcp-history">
      <h2 id="history">{t("history.heading")}</h2>
      {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
      {value !== null && items.length === 0 ? <p className="fine">{t("history.none")}</p> : null}
      <ul className="history">
        {shown.map((declaration) => (
          <HistoryRow key={declaration.id} declaration={declaration} />
        ))}
      </ul>
      {items.length <= FEW ? null : (
        <Button kind="quiet" onPress={() => setAll(!all)} aria-expanded={all} data-testid="bcp-history-all">
          {all ? t("history.less") : t("history.more", { count: items.length })}
        </Button>
      )}
    </section>
  );
}

function HistoryRow({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { id, level, drill, state } = declaration;
  return (
    <li className={`level-${level}${drill ? " is-drill" : ""}`}>
      <LevelMark level={level} size={24} />
      <div>
        <Link
          className="history-link"
          onPress={() => navigate({ page: "bcp", view: { kind: "declaration", id } })}
          data-testid={`bcp-history-${id}`}
        >
          {drillMark(drill)}
          {levelName(declaration)}
        </Link>
        <p className="fine">
          {t("history.line", {
            scope: scopeName(declaration),
            cause: pick(declaration.cause_ja, declaration.cause_en),
          })}
        </p>
        <p className="fine">{dateTime(declaration.created_at)}</p>
      </div>
      <span className={`state-tag state-${state}`}>{t(`state.${state}`)}</span>
    </li>
  );
}
