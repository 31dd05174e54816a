/** Whom to telephone: those whom nothing reached are always open; the other lists open at a press. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/controls";
import { Icon } from "../../ui/Icon";
import { PeopleList } from "./PeopleList";
import type { CallList, CallLists as Lists } from "./types";

export function CallLists({ lists, title }: { readonly lists: Lists; readonly title: string }) {
  const { t } = useTranslation("bcp");
  return (
    <section className="panel calls" aria-labelledby="calls" data-testid="bcp-calls">
      <p className="print-only">{title}</p>
      <h2 id="calls">{t("reach.callHeading")}</h2>
      <p className="fine">{t("reach.callLead")}</p>
      <One name="not_reached" list={lists.not_reached} open />
      <One name="silent" list={lists.silent} />
      <One name="limited" list={lists.limited} />
      <div className="print-hidden">
        <Button kind="secondary" icon="print" onPress={() => window.print()} data-testid="bcp-print-calls">
          {t("reach.printCalls")}
        </Button>
      </div>
    </section>
  );
}

interface OneProps {
  readonly name: "not_reached" | "silent" | "limited";
  readonly list: CallList;
  readonly open?: boolean;
}

function One({ name, list, open = false }: OneProps) {
  const { t } = useTranslation("bcp");
  const [shown, setShown] = useState(open);
  const count = list.items.length + list.more;
  return (
    <div className="call-list">
      <h3>
        {t(`reach.list.${name}`)} <span className="call-count">{t("reach.count", { count })}</span>
      </h3>
      {count === 0 ? (
        <p className="seat-fit">
          <Icon name="check" />
          {t(`reach.none.${name}`)}
        </p>
      ) : (
        <div className="print-hidden">
          <Button kind="quiet" onPress={() => setShown(!shown)} aria-expanded={shown} data-testid={`bcp-call-${name}`}>
            {t(shown ? "reach.hideNames" : "reach.showNames", { list: t(`reach.list.${name}`) })}
          </Button>
        </div>
      )}
      {shown && list.items.length > 0 ? <PeopleList people={list.items} testId={`bcp-people-${name}`} /> : null}
      {shown && list.more > 0 ? <p className="fine">{t("reach.moreNames", { count: list.more })}</p> : null}
    </div>
  );
}
