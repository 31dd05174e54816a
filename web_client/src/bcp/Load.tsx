/** Seats, reserves and queues by class, live; the lines of the sites; how many people are working. */
import { useTranslation } from "react-i18next";
import { dateTime, duration } from "../app/format";
import { pick } from "../i18n";
import { Icon } from "../ui/Icon";
import { Name } from "../ui/Name";
import { Bar } from "./Bar";
import { share } from "./diff";
import { records } from "./records/endpoints";
import type { Capacity, PoolCapacity } from "./records/types";
import { useLive } from "./records/useLive";
import { useKnownStatus } from "./status";

const EVERY_MS = 5_000;

export function Load() {
  const { t } = useTranslation("bcp");
  const { people_working: working } = useKnownStatus();
  const { value } = useLive(records.capacity, { everyMs: EVERY_MS });
  return (
    <section className="panel load" aria-labelledby="load" data-testid="bcp-load">
      <h2 id="load">{t("load.heading")}</h2>
      <p className="load-working">
        <span>{t("load.working")}</span>
        <strong data-testid="bcp-working">{t("people", { count: working })}</strong>
      </p>
      {value === null ? null : (
        <>
          {value.start_gate ? (
            <p className="warning-line" data-testid="bcp-start-gate">
              {t("load.startGate", { count: value.starts_per_minute })}
            </p>
          ) : null}
          {value.pools.length === 0 ? <p className="fine">{t("load.none")}</p> : null}
          <ul className="seat-list">
            {value.pools.map((pool) => (
              <Pool key={pool.pool_id} pool={pool} />
            ))}
          </ul>
          <Lines lines={value.lines} />
        </>
      )}
    </section>
  );
}

function Pool({ pool }: { readonly pool: PoolCapacity }) {
  const { t } = useTranslation("bcp");
  const free = Math.max(0, pool.seats - pool.used);
  const waiting = pool.classes.filter((one) => one.waiting > 0);
  const next = pool.leaving[0];
  return (
    <li data-testid={`bcp-pool-${pool.pool_id}`}>
      <p>
        <strong>
          <Name>{pick(pool.name_ja, pool.name_en)}</Name>
        </strong>
      </p>
      <Bar share={share(pool.used, pool.seats)} over={pool.waiting > 0} />
      <p className="seat-line">
        <span>{t("load.used", { used: pool.used, total: pool.seats })}</span>
        <span>{free === 0 ? t("load.full") : t("load.free", { count: free })}</span>
      </p>
      {pool.seats > pool.normal_seats ? (
        <p className="fine">{t("load.added", { count: pool.seats - pool.normal_seats })}</p>
      ) : null}
      {pool.reserved_urgent === 0 ? null : (
        <p className="fine">{t("load.reserved", { urgent: pool.reserved_urgent, p0: pool.reserved_p0 })}</p>
      )}
      {pool.waiting === 0 ? null : (
        <div className="queue" data-testid={`bcp-queue-${pool.pool_id}`}>
          <p className="seat-short">
            <Icon name="warning" />
            {t("load.queued", { count: pool.waiting })}
          </p>
          <ul className="queue-classes">
            {waiting.map((one) => (
              <li key={one.priority}>
                <span className="class-chip">{one.priority}</span> {t("people", { count: one.waiting })}
              </li>
            ))}
          </ul>
          <p className="fine">
            {t("load.longest", { time: duration(pool.longest_wait_seconds) })}
            {pool.reasons.map(({ reason, waiting: count }) => ` / ${t(`load.reason.${reason}`, { count })}`)}
          </p>
        </div>
      )}
      {next === undefined ? null : (
        <p className="fine">{t("load.leaving", { count: pool.leaving.length, time: dateTime(next.at) })}</p>
      )}
    </li>
  );
}

function Lines({ lines }: { readonly lines: Capacity["lines"] }) {
  const { t } = useTranslation("bcp");
  const budgeted = lines.filter((line) => line.budget_mbps > 0);
  if (budgeted.length === 0) {
    return null;
  }
  return (
    <details>
      <summary>{t("load.lines", { count: budgeted.length })}</summary>
      <ul className="seat-list">
        {budgeted.map((line) => (
          <li key={line.site}>
            <p className="seat-line">
              <span>{pick(line.name_ja, line.name_en)}</span>
              <span>{t("load.mbps", { planned: Math.round(line.planned_mbps), budget: line.budget_mbps })}</span>
            </p>
            <Bar share={share(line.planned_mbps, line.budget_mbps)} over={line.planned_mbps > line.budget_mbps} />
          </li>
        ))}
      </ul>
    </details>
  );
}
