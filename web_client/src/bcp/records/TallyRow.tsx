/** One class or duty with its counts in a line; who was not reached stands out in words, not only in colour. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Bar } from "../Bar";
import { share } from "../diff";
import type { Tally } from "./types";

const COUNTS = ["read", "can", "partly", "cannot", "working"] as const;

interface TallyRowProps {
  readonly title: ReactNode;
  readonly tally: Tally;
  readonly testId: string;
  readonly children?: ReactNode;
}

export function TallyRow({ title, tally, testId, children }: TallyRowProps) {
  const { t } = useTranslation("bcp");
  return (
    <li className="tally" data-testid={testId}>
      <p className="seat-line">
        <span className="tally-title">{title}</span>
        {tally.not_reached > 0 ? (
          <strong className="seat-short">{t("reach.notReachedOf", { count: tally.not_reached, people: tally.people })}</strong>
        ) : (
          <span className="seat-fit">{t("reach.allReached", { count: tally.people })}</span>
        )}
      </p>
      <Bar share={share(tally.reached, tally.people)} over={tally.not_reached > 0} />
      <dl className="tally-counts">
        {COUNTS.map((name) => (
          <div key={name}>
            <dt>{t(`reach.${name}`)}</dt>
            <dd>{tally[name]}</dd>
          </div>
        ))}
      </dl>
      {children}
    </li>
  );
}
