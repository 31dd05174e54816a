/**
 * The wait for a seat, in plain words: place, what for, about how long; then the seat that is held, with a count-down.
 * Screen readers hear a change of the place, not the passing of seconds.
 */
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import type { SessionInfo, SessionQueue } from "../api/types";
import { countdown, duration } from "../app/format";
import { Icon } from "../ui/Icon";
import { announcementKey, estimateMinutes, secondsUntil } from "./queue";

export function Waiting({ queue }: { readonly queue: SessionQueue }) {
  const { t } = useTranslation();
  const wait = queue.estimate_seconds === null ? null : duration(estimateMinutes(queue.estimate_seconds) * 60);
  const place = t("viewer.queue.place", { place: queue.place });
  const about = wait === null ? t("viewer.queue.unknown") : t("viewer.queue.about", { time: wait });
  return (
    <section className="panel queue" aria-labelledby="queue-heading" data-testid="viewer-queue">
      <h2 id="queue-heading">{t("viewer.queue.title")}</h2>
      <dl className="queue-facts">
        <div>
          <dt>{t("viewer.queue.placeLabel")}</dt>
          <dd className="queue-place" data-testid="viewer-queue-place">
            {place}
          </dd>
          <dd className="fine">{queue.ahead === 0 ? t("viewer.queue.next") : t("viewer.queue.ahead", { count: queue.ahead })}</dd>
        </div>
        <div>
          <dt>{t("viewer.queue.aboutLabel")}</dt>
          <dd className="queue-place" data-testid="viewer-queue-estimate">
            {wait === null ? t("viewer.queue.unknownShort") : t("viewer.queue.aboutShort", { time: wait })}
          </dd>
          <dd className="fine">{t(wait === null ? "viewer.queue.unknownWhy" : "viewer.queue.aboutHelp")}</dd>
        </div>
      </dl>
      <p>{t(`viewer.queue.reasons.${queue.reason}`)}</p>
      <p className="fine">{t("viewer.queue.order", { priority: queue.priority })}</p>
      <p className="visually-hidden" role="status" data-testid="viewer-queue-said">
        <Said about={announcementKey(queue)} text={`${place}${t("viewer.queue.stop")}${about}`} />
      </p>
    </section>
  );
}

/** Keeps its words until they are about something else: what was said is not said again in slightly other words. */
function Said({ about, text }: { readonly about: string; readonly text: string }) {
  const said = useRef({ about: "", text: "" });
  if (said.current.about !== about) {
    said.current = { about, text };
  }
  return <span>{said.current.text}</span>;
}

export function Held({ info }: { readonly info: SessionInfo }) {
  const { t } = useTranslation();
  const left = secondsUntil(info.held_until, gatewayNow());
  return (
    <section className="panel queue queue-held" aria-labelledby="held-heading" data-testid="viewer-held">
      <h2 id="held-heading">
        <Icon name="clock" size={24} />
        <span>{t("viewer.queue.heldLabel")}</span>
      </h2>
      <p className="visually-hidden" role="status">
        {t("viewer.queue.held")}
      </p>
      {left === null ? null : (
        <p className="queue-place" role="timer" aria-live="off" data-testid="viewer-held-left">
          {left > 0 ? t("viewer.queue.heldLeft", { time: countdown(left) }) : t("viewer.queue.heldOver")}
        </p>
      )}
      <p>{t("viewer.queue.heldBody")}</p>
    </section>
  );
}
