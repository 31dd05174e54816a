/** One desktop: name, zone, state, limits, and the one thing to do with it. Names come from outside: text only. */
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { gatewayNow } from "../api/http";
import type { DesktopInfo, Obligations, SessionInfo } from "../api/types";
import { clockTime, dateTime, duration, number } from "../app/format";
import { pick } from "../i18n";
import { Button } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { Name } from "../ui/Name";

interface DesktopCardProps {
  readonly desktop: DesktopInfo;
  readonly opening: boolean;
  /** What may be used in its place while it does not answer. */
  readonly instead: DesktopInfo | undefined;
  readonly onOpen: () => void;
  readonly onOpenInstead: () => void;
  readonly onLogOff: () => void;
}

type Verb = "open" | "resume" | "watch" | "takeOver" | "queue";

/** What the button does, from the state of the session the person already has there. */
export function verbFor(session: SessionInfo | null): Verb {
  switch (session?.state) {
    case undefined:
    case "ended":
    case "ending":
      return "open";
    case "requested":
    case "queued":
    case "starting":
      return "watch";
    case "active":
      return "takeOver";
    case "ready":
    case "disconnected":
      return "resume";
    case "parked":
      return "queue";
  }
}

/** Work that is kept while its person is refused can be logged off, not gone on with. Who waits is let in by the queue. */
function mayOpen({ allowed, session }: DesktopInfo): boolean {
  return allowed || (session !== null && session.state !== "active" && session.state !== "disconnected");
}

export function isUsable(desktop: DesktopInfo): boolean {
  return mayOpen(desktop) && desktop.unreachable === null;
}

export function DesktopCard({ desktop, instead, opening, onOpen, onOpenInstead, onLogOff }: DesktopCardProps) {
  const { t } = useTranslation();
  const name = pick(desktop.name_ja, desktop.name_en);
  const zone = pick(desktop.zone_ja, desktop.zone_en);
  const { session } = desktop;
  const verb = verbFor(session);
  const usable = isUsable(desktop);
  const kept = !mayOpen(desktop) && session !== null;
  const headingId = `desktop-${desktop.pool_id}`;
  return (
    <li className={`card${usable ? "" : " card-off"}`} data-testid={`desktop-${desktop.pool_id}`}>
      <article aria-labelledby={headingId}>
        <div className="card-head">
          <span className="card-icon">
            <Icon name={usable ? "desktop" : "lock"} size={24} />
          </span>
          <div>
            <h3 id={headingId}>
              <Name>{name}</Name>
            </h3>
            <p className="card-tags">
              {zone === "" ? null : <span className={`tag tag-${desktop.zone ?? "none"}`}>{zone}</span>}
              <span>{t(`desktops.kind.${desktop.kind}`)}</span>
              <Seats desktop={desktop} />
            </p>
          </div>
          {mayOpen(desktop) || kept ? (
            <div className="card-actions">
              {kept ? null : (
                <Button
                  kind={usable ? "primary" : "secondary"}
                  onPress={onOpen}
                  busy={opening}
                  isDisabled={session?.state === "ending"}
                  aria-label={t(usable ? `desktops.${verb}Named` : "desktops.tryAgainNamed", { name })}
                  data-testid={`desktop-open-${desktop.pool_id}`}
                >
                  {opening ? t("desktops.opening") : t(usable ? `desktops.${verb}` : "desktops.tryAgain")}
                </Button>
              )}
              {verb === "resume" || verb === "takeOver" || verb === "queue" ? (
                <Button
                  kind="secondary"
                  onPress={onLogOff}
                  aria-label={t("desktops.logOffNamed", { name })}
                  data-testid={`desktop-logoff-${desktop.pool_id}`}
                >
                  {t("desktops.logOff")}
                </Button>
              ) : null}
            </div>
          ) : null}
        </div>
        {session === null || (mayOpen(desktop) && !usable) ? null : <SessionLine session={session} kept={kept} />}
        {desktop.reason === null ? null : (
          <div className="card-reason">
            <p>
              <strong>{t("desktops.reason")}: </strong>
              {pick(desktop.reason.text_ja, desktop.reason.text_en)}
            </p>
            {desktop.reason.available_from === null ? null : (
              <p className="card-when">
                <Icon name="clock" size={18} />
                <span>{t("desktops.availableFrom", { time: dateTime(desktop.reason.available_from) })}</span>
              </p>
            )}
          </div>
        )}
        {desktop.unreachable === null || !mayOpen(desktop) ? null : (
          <div className="card-reason" data-testid={`desktop-unreachable-${desktop.pool_id}`}>
            <p>
              <strong>{t("desktops.reason")}: </strong>
              {pick(desktop.unreachable.text_ja, desktop.unreachable.text_en)}
              {t("desktops.triedAt", { time: dateTime(desktop.unreachable.since) })}
            </p>
            {instead === undefined ? null : (
              <Button kind="primary" onPress={onOpenInstead} data-testid={`desktop-instead-${desktop.pool_id}`}>
                {t("desktops.instead", { name: pick(instead.name_ja, instead.name_en) })}
              </Button>
            )}
          </div>
        )}
        {desktop.obligations === null ? null : <Rules obligations={desktop.obligations} />}
      </article>
    </li>
  );
}

function Seats({ desktop }: { readonly desktop: DesktopInfo }) {
  const { t } = useTranslation();
  if (desktop.kind !== "agent" || desktop.seats === null) {
    return null;
  }
  const { used, total } = desktop.seats;
  const free = Math.max(0, total - used);
  return <span>{free === 0 ? t("desktops.full", { total }) : t("desktops.seats", { free, total })}</span>;
}

function SessionLine({ session, kept }: { readonly session: SessionInfo; readonly kept: boolean }) {
  const { t } = useTranslation();
  const text = {
    requested: t("desktops.preparing"),
    queued: session.queue ? t("desktops.waiting", { place: session.queue.place }) : t("desktops.preparing"),
    starting: t("desktops.preparing"),
    ready: heldText(session, t),
    active: t("desktops.active"),
    disconnected: t(kept ? "desktops.keptRefused" : "desktops.running"),
    parked: t("desktops.parked"),
    ending: t("desktops.ending"),
    ended: t("desktops.ending"),
  }[session.state];
  return (
    <p className={`card-session card-session-${session.state}`}>
      <span className="dot" aria-hidden="true" />
      <span>{text}</span>
      <span className="fine">
        {session.active_seconds > 0 ? `${t("desktops.worked", { time: duration(session.active_seconds) })} / ` : ""}
        {t("desktops.code", { code: session.short_code })}
      </span>
    </p>
  );
}

/** A seat is kept for a while; after that the desktop is there as long as nobody else needs it. */
function heldText(session: SessionInfo, t: TFunction): string {
  const { held_until: until } = session;
  return typeof until === "string" && Date.parse(until) > gatewayNow()
    ? t("desktops.held", { time: clockTime(until) })
    : t("desktops.running");
}

function Rules({ obligations }: { readonly obligations: Obligations }) {
  const { t } = useTranslation();
  const { clipboard_in_chars: into, clipboard_out_chars: out } = obligations;
  return (
    <ul className="card-rules" aria-label={t("desktops.rules")}>
      {obligations.view_only ? <li>{t("desktops.ruleViewOnly")}</li> : null}
      {into === 0 && out === 0 ? <li>{t("desktops.ruleClipboardNone")}</li> : null}
      {into > 0 ? <li>{t("desktops.ruleClipboardIn", { chars: number(into) })}</li> : null}
      {out > 0 ? <li>{t("desktops.ruleClipboardOut", { chars: number(out) })}</li> : null}
      <li>{t("desktops.ruleTotal", { time: duration(obligations.total_limit_seconds) })}</li>
      <li>{t("desktops.ruleIdle", { time: duration(obligations.idle_limit_seconds) })}</li>
    </ul>
  );
}
