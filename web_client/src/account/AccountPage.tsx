/** Who I am here, how many recovery codes I have left, and where else I am logged in. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { account } from "../api/endpoints";
import type { WebSessionInfo } from "../api/types";
import { dateTime } from "../app/format";
import { useMe } from "../app/identity";
import { useLoad } from "../app/useLoad";
import { pick } from "../i18n";
import { Button, Notice } from "../ui/controls";
import { ErrorNotice, Loading, PageHeading } from "../ui/PageStates";
import { EmergencyCard } from "./EmergencyCard";
import { NewRecoveryCodes } from "./NewRecoveryCodes";

export function AccountPage() {
  const { t } = useTranslation();
  const me = useMe();
  const rows: readonly (readonly [string, string])[] = [
    [t("account.name"), me.user.display_name],
    [t("account.username"), me.user.username],
    [t("account.department"), me.user.department ?? "-"],
    [t("account.tenant"), pick(me.tenant.name_ja, me.tenant.name_en)],
  ];
  return (
    <div className="narrow">
      <PageHeading title={t("account.title")}>{t("account.title")}</PageHeading>
      <section className="panel" aria-labelledby="profile">
        <h2 id="profile">{t("account.profile")}</h2>
        <dl>
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section className="panel" aria-labelledby="codes">
        <h2 id="codes">{t("account.codes")}</h2>
        {me.recovery_codes_left === 0 ? (
          <Notice kind="warning" live={false}>
            <p>{t("account.codesZero")}</p>
          </Notice>
        ) : (
          <p>{t("account.codesBody", { count: me.recovery_codes_left })}</p>
        )}
        <NewRecoveryCodes />
      </section>
      <EmergencyCard />
      <WebSessions />
    </div>
  );
}

function WebSessions() {
  const { t } = useTranslation();
  const me = useMe();
  const { value, error, reload } = useLoad(account.webSessions);
  const [failure, setFailure] = useState<unknown>(null);
  const [revoked, setRevoked] = useState(false);

  const revoke = async (item: WebSessionInfo) => {
    setFailure(null);
    try {
      await account.revokeWebSession(item.id);
      setRevoked(true);
    } catch (problem) {
      setFailure(problem);
    }
    await reload();
  };

  return (
    <section className="panel" aria-labelledby="web-sessions">
      <h2 id="web-sessions">{t("account.sessions")}</h2>
      <p>{t("account.sessionsLead")}</p>
      {failure === null ? null : <ErrorNotice error={failure} />}
      {revoked ? (
        <Notice kind="success">
          <p>{t("account.revoked")}</p>
        </Notice>
      ) : null}
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <ErrorNotice error={error} onRetry={reload} />
        )
      ) : (
        <>
          <ul className="session-list">
            {value.items.map((item) => (
              <WebSessionRow key={item.id} item={item} onRevoke={() => void revoke(item)} />
            ))}
          </ul>
          {value.items.every((item) => item.current) ? <p className="fine">{t("account.onlyThis")}</p> : null}
        </>
      )}
      <p className="fine">
        {t("account.expiry", {
          idle: dateTime(me.web_session.idle_expires_at),
          end: dateTime(me.web_session.expires_at),
        })}
      </p>
    </section>
  );
}

function WebSessionRow({ item, onRevoke }: { readonly item: WebSessionInfo; readonly onRevoke: () => void }) {
  const { t } = useTranslation();
  const label = item.label ?? t("account.unknownDevice");
  return (
    <li data-testid={`web-session-${item.id}`}>
      <div>
        <p className="session-label">
          {label}
          {item.current ? <span className="tag tag-current">{t("account.current")}</span> : null}
        </p>
        <p className="fine session-facts">
          <span className="whole">{t("account.since", { time: dateTime(item.created_at) })}</span>{" "}
          <span className="whole">{t("account.lastSeen", { time: dateTime(item.last_seen_at) })}</span>{" "}
          {item.source === null ? null : <span className="whole">{t("account.source", { source: item.source })}</span>}
        </p>
      </div>
      {item.current ? null : (
        <Button
          kind="secondary"
          onPress={onRevoke}
          aria-label={t("account.revokeNamed", { label, time: dateTime(item.created_at) })}
          data-testid={`web-session-revoke-${item.id}`}
        >
          {t("account.revoke")}
        </Button>
      )}
    </li>
  );
}
