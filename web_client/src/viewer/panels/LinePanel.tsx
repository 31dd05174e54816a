/** How the line is, in figures and in words, and what to do about it. */
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/controls";
import type { Line } from "../lineQuality";
import type { Viewer } from "../useViewer";

export function LinePanel({ viewer, line }: { readonly viewer: Viewer; readonly line: Line }) {
  const { t } = useTranslation();
  const advice = { unknown: "", good: t("viewer.line.goodAdvice"), fair: t("viewer.line.fairAdvice"), poor: t("viewer.line.poorAdvice") };
  const slow = viewer.settings.quality === "slow";
  return (
    <>
      <dl className="line-figures">
        <div>
          <dt>{t("viewer.line.rtt")}</dt>
          <dd data-testid="line-rtt">
            {line.rttMs === null ? t("viewer.line.unknown") : t("viewer.line.rttValue", { ms: line.rttMs })}
          </dd>
        </div>
        <div>
          <dt>{t("viewer.line.rate")}</dt>
          <dd data-testid="line-rate">{t("viewer.line.rateValue", { mbps: line.mbps.toFixed(line.mbps < 10 ? 1 : 0) })}</dd>
        </div>
      </dl>
      <p>
        <strong className="line-grade">{t(`viewer.line.${line.grade}`)}</strong>
        <br />
        {advice[line.grade]}
      </p>
      {slow || line.grade === "good" ? null : (
        <Button kind="secondary" onPress={() => viewer.change({ quality: "slow" })} data-testid="line-use-slow">
          {t("viewer.line.useSlow")}
        </Button>
      )}
    </>
  );
}
