/** Whether what a signature sets off fits: seats of the pools, lines of the sites, the gateway. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { pick } from "../i18n";
import { Icon } from "../ui/Icon";
import { Name } from "../ui/Name";
import { Bar } from "./Bar";
import { share, tightestFirst, totalShort } from "./diff";
import type { Fit, LineFit, SeatsFit, WhatIf } from "./types";

export function Forecast({ whatIf }: { readonly whatIf: WhatIf }) {
  const { t } = useTranslation("bcp");
  const { capacity, lines, unplaced, gateway } = whatIf;
  if (capacity.length === 0) {
    return null;
  }
  return (
    <section className="forecast" aria-labelledby="forecast" data-testid="bcp-forecast">
      <h3 id="forecast">{t("forecast.heading")}</h3>
      <p className="fine">{t("forecast.lead", { percent: whatIf.at_once_percent })}</p>
      <h4>{t("forecast.seats")}</h4>
      {totalShort(capacity) > 0 ? <p className="fine">{t("forecast.seatsShortLead")}</p> : null}
      <ul className="seat-list">
        {tightestFirst(capacity).map((one) => (
          <Seats key={one.pool_id} fit={one} />
        ))}
      </ul>
      <h4>{t("forecast.lines")}</h4>
      <ul className="seat-list">
        {tightestFirst(lines).map((one) => (
          <Line key={one.site_id} fit={one} />
        ))}
      </ul>
      {unplaced.length === 0 ? null : (
        <p className="fine" data-testid="bcp-unplaced">
          {t("forecast.unplaced", { pools: unplaced.map((id) => poolName(whatIf, id)).join(t("forecast.and")) })}
        </p>
      )}
      <h4>{t("forecast.gateway")}</h4>
      <ul className="seat-list">
        <Row fit={gateway} name={t("forecast.gatewayName")} testId="bcp-fit-gateway" unit="sessions">
          <p className="fine">{t("forecast.gatewayLoad", { percent: gateway.load_percent })}</p>
        </Row>
      </ul>
    </section>
  );
}

function poolName(whatIf: WhatIf, id: string): string {
  const found = whatIf.capacity.find((one) => one.pool_id === id);
  return found === undefined ? id : pick(found.name_ja, found.name_en);
}

function Seats({ fit }: { readonly fit: SeatsFit }) {
  return <Row fit={fit} name={pick(fit.name_ja, fit.name_en)} testId={`bcp-seats-${fit.pool_id}`} unit="seats" />;
}

function Line({ fit }: { readonly fit: LineFit }) {
  const { t } = useTranslation("bcp");
  const tight = fit.short === 0 && fit.peak_mbps > fit.line_mbps;
  return (
    <Row fit={fit} name={pick(fit.name_ja, fit.name_en)} testId={`bcp-line-${fit.site_id}`} unit="sessions">
      <p className="fine">
        {t("forecast.lineMbps", { line: fit.line_mbps, average: fit.average_mbps, peak: fit.peak_mbps })}
        {tight ? ` ${t("forecast.lineTight")}` : ""}
      </p>
    </Row>
  );
}

interface RowProps {
  readonly fit: Fit;
  readonly name: string;
  readonly testId: string;
  readonly unit: "seats" | "sessions";
  readonly children?: ReactNode;
}

function Row({ fit, name, testId, unit, children }: RowProps) {
  const { t } = useTranslation("bcp");
  const over = fit.short > 0;
  const rush = !over && fit.everybody > fit.total;
  return (
    <li data-testid={testId}>
      <p className="seat-line">
        <Name>{name}</Name>
        <span>{t(`forecast.${unit}Line`, { total: fit.total, forecast: fit.forecast })}</span>
      </p>
      <Bar share={share(fit.forecast, fit.total)} over={over} />
      <p className={over ? "seat-short" : "seat-fit"}>
        <Icon name={over ? "warning" : "check"} size={18} />
        <span>
          {over
            ? t(`forecast.${unit}Short`, { count: fit.short })
            : rush
              ? t(`forecast.${unit}Rush`, { count: fit.everybody - fit.total })
              : t("forecast.fits")}
        </span>
      </p>
      {children}
    </li>
  );
}
