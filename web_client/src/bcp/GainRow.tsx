/** Who gains one pool, from when and from where; the first names, and everybody's on demand. */
import i18next from "i18next";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { Name } from "../ui/Name";
import { listed } from "./names";
import type { Gain } from "./types";
import type { Asked } from "./useAsked";

interface GainRowProps {
  readonly gain: Gain;
  readonly asked: Asked;
}

export function GainRow({ gain, asked }: GainRowProps) {
  const { t } = useTranslation("bcp");
  return (
    <li data-testid={`bcp-gain-${gain.pool_id}`}>
      <p className="gain-line">
        <Name>{pick(gain.name_ja, gain.name_en)}</Name>
        <strong>+{t("people", { count: gain.people })}</strong>
      </p>
      <p className="fine">{whenAndWhere(gain).join(t("diff.and"))}</p>
      {gain.named.length === 0 ? null : <Names gain={gain} asked={asked} />}
    </li>
  );
}

function Names({ gain, asked }: GainRowProps) {
  const { t } = useTranslation("bcp");
  const list = useRef<HTMLUListElement>(null);
  // How many names there were when the others were asked for here.
  const [read, setRead] = useState<number | null>(null);
  const shown = gain.named.length;
  const came = read !== null && shown > read;
  useEffect(() => {
    // The button goes with its answer: reading goes on at the first new name, unless the person is elsewhere by now.
    if (came && document.activeElement === document.body) {
      list.current?.querySelector<HTMLElement>("[tabindex]")?.focus();
    }
  }, [came]);
  return (
    <details>
      <summary>{t("diff.named", { count: shown })}</summary>
      <ul className="named" ref={list}>
        {gain.named.map((person, place) => (
          <li key={person.username} {...(came && place === read ? { tabIndex: -1 } : {})}>
            {person.display_name}
            <span className="fine">{person.department ?? person.username}</span>
          </li>
        ))}
        {gain.more > 0 ? <li>{t("diff.more", { count: gain.more })}</li> : null}
      </ul>
      <p className="visually-hidden" role="status" data-testid={`bcp-names-said-${gain.pool_id}`}>
        {came ? t("diff.namesShown", { count: shown }) : asked.naming ? t("diff.naming") : ""}
      </p>
      {gain.more > 0 && !asked.allNames ? (
        <Button
          kind="quiet"
          busy={asked.naming}
          onPress={() => {
            setRead(shown);
            asked.nameAll();
          }}
          data-testid={`bcp-names-${gain.pool_id}`}
        >
          {asked.naming ? t("diff.naming") : t("diff.nameAll", { count: gain.people })}
        </Button>
      ) : null}
    </details>
  );
}

/** From when on, and from where. */
function whenAndWhere(gain: Gain): string[] {
  const said: string[] = [];
  if (gain.now > 0) {
    said.push(i18next.t("bcp:diff.now", { count: gain.now }));
  }
  if (gain.later_at !== null) {
    said.push(i18next.t(gain.now > 0 ? "bcp:diff.othersFrom" : "bcp:diff.firstFrom", { time: dateTime(gain.later_at) }));
  }
  if (gain.used_up > 0) {
    said.push(i18next.t("bcp:diff.usedUp", { count: gain.used_up }));
  }
  said.push(
    gain.places === null
      ? i18next.t("bcp:diff.anywhere")
      : i18next.t("bcp:diff.onlyFrom", { places: listed(gain.places.map((place) => pick(place.name_ja, place.name_en))) }),
  );
  return said;
}
