/** The numbers that count first, large: whom nothing reached, who has read it, who can work, who is working. */
import { useTranslation } from "react-i18next";
import { Icon } from "../../ui/Icon";
import { Bar } from "../Bar";
import { share } from "../diff";
import type { Tally } from "./types";

const LARGE = ["not_reached", "read", "can", "working"] as const;
const SMALL = ["reached", "silent", "partly", "cannot", "no_answer"] as const;

/** `small` shows the large figures only, as on a card of the board. */
export function Tiles({ tally, small = false }: { readonly tally: Tally; readonly small?: boolean }) {
  const { t } = useTranslation("bcp");
  return (
    <div className={small ? "tiles-small" : "tiles-whole"} data-testid="bcp-tiles">
      <dl className="tiles">
        {LARGE.map((name) => (
          <div key={name} className={`tile${name === "not_reached" && tally.not_reached > 0 ? " tile-alarm" : ""}`}>
            <dt>
              {name === "not_reached" && tally.not_reached > 0 ? <Icon name="warning" /> : null}
              {t(`reach.${name}`)}
            </dt>
            <dd>
              <strong data-testid={`bcp-tile-${name}`}>{t("reach.count", { count: tally[name] })}</strong>
              {small ? null : <span className="fine">{t("reach.of", { count: tally.people })}</span>}
            </dd>
            {small ? null : <Bar share={share(tally[name], tally.people)} over={name === "not_reached" && tally.not_reached > 0} />}
          </div>
        ))}
      </dl>
      {small ? null : (
        <dl className="tile-line">
          {SMALL.map((name) => (
            <div key={name}>
              <dt>{t(`reach.${name}`)}</dt>
              <dd data-testid={`bcp-tile-${name}`}>{t("reach.count", { count: tally[name] })}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
