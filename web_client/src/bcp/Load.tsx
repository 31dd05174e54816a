/** Seats and queues, live, and how many people are working. */
import { useTranslation } from "react-i18next";
import { pick } from "../i18n";
import { Bar } from "./Bar";
import { share } from "./diff";
import { useKnownStatus } from "./status";

export function Load() {
  const { t } = useTranslation("bcp");
  const { pools, people_working: working } = useKnownStatus();
  return (
    <section className="panel load" aria-labelledby="load" data-testid="bcp-load">
      <h2 id="load">{t("load.heading")}</h2>
      <p className="load-working">
        <span>{t("load.working")}</span>
        <strong data-testid="bcp-working">{t("people", { count: working })}</strong>
      </p>
      {pools.length === 0 ? <p className="fine">{t("load.none")}</p> : null}
      <ul className="seat-list">
        {pools.map((pool) => {
          const free = Math.max(0, pool.total - pool.used);
          return (
            <li key={pool.pool_id} data-testid={`bcp-pool-${pool.pool_id}`}>
              <p className="seat-line">
                <strong>{pick(pool.name_ja, pool.name_en)}</strong>
                <span>{free === 0 ? t("load.full") : t("load.free", { count: free })}</span>
              </p>
              <Bar share={share(pool.used, pool.total)} over={pool.queued > 0} />
              <p className="seat-line">
                <span>{t("load.used", { used: pool.used, total: pool.total })}</span>
                {pool.queued > 0 ? <strong className="seat-short">{t("load.queued", { count: pool.queued })}</strong> : null}
              </p>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
