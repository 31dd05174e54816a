/**
 * For officials who vouch: two of them, each for themselves, help a person who lost the authenticator. The gateway
 * decides every step; nothing here searches for people, and the activation code lives in this page's memory alone.
 */
import "./texts";
import "../styles/bcp.css";
import "../styles/vouch.css";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLoad } from "../app/useLoad";
import { Button, Notice, TextField } from "../ui/controls";
import { ErrorNotice, Loading, PageHeading } from "../ui/PageStates";
import { CheckForm } from "./CheckForm";
import { CodeCard } from "./CodeCard";
import { vouches, type Vouch, type VouchStep } from "./endpoints";
import { VouchItem } from "./VouchItem";

export default function VouchPage() {
  const { t } = useTranslation("vouch");
  const { value, error, reload } = useLoad(vouches.list);
  const [shown, setShown] = useState<{ readonly vouch: Vouch; readonly code: string } | null>(null);
  const [done, setDone] = useState<string | null>(null);

  // Whoever comes back from the telephone sees what the other official did meanwhile.
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") {
        void reload();
      }
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [reload]);

  const opened = ({ vouch }: VouchStep) => {
    setDone(vouch === null ? null : t("opened", { name: vouch.display_name }));
    void reload();
  };
  const confirmed = ({ vouch, activation_code: code }: VouchStep) => {
    setDone(null);
    setShown(vouch === null || code === null ? null : { vouch, code });
    void reload();
  };
  const ended = (vouch: Vouch) => {
    setDone(t("end.done", { name: vouch.display_name }));
    void reload();
  };

  return (
    <div className="narrow">
      <PageHeading title={t("title")}>{t("title")}</PageHeading>
      {shown === null ? null : <CodeCard {...shown} onDone={() => setShown(null)} />}
      {done === null ? null : (
        <Notice kind="success" testId="vouch-done">
          <p>{done}</p>
        </Notice>
      )}
      <section className="panel" aria-labelledby="vouch-list">
        <div className="vouch-head">
          <h2 id="vouch-list">{t("list")}</h2>
          <Button kind="quiet" icon="refresh" onPress={() => void reload()} data-testid="vouch-refresh">
            {t("refresh")}
          </Button>
        </div>
        {value === null ? (
          error === null ? (
            <Loading />
          ) : (
            <ErrorNotice error={error} onRetry={reload} />
          )
        ) : value.items.length === 0 ? (
          <p>{t("none")}</p>
        ) : (
          <ul className="cards">
            {value.items.map((vouch) => (
              <VouchItem key={vouch.id} vouch={vouch} onConfirmed={confirmed} onEnded={ended} />
            ))}
          </ul>
        )}
      </section>
      <section className="panel" aria-labelledby="vouch-open">
        <h2 id="vouch-open">{t("open.title")}</h2>
        <p>{t("lead")}</p>
        <ul className="rules">
          <li>{t("rule1")}</li>
          <li>{t("rule2")}</li>
          <li>{t("rule3")}</li>
        </ul>
        <OpenForm onDone={opened} />
      </section>
    </div>
  );
}

function OpenForm({ onDone }: { readonly onDone: (step: VouchStep) => void }) {
  const { t } = useTranslation("vouch");
  const [username, setUsername] = useState("");
  const [tried, setTried] = useState(false);
  const named = username.trim() !== "";
  return (
    <CheckForm
      submit={t("open.submit")}
      testId="vouch-open"
      ready={() => {
        setTried(true);
        return named;
      }}
      act={(check) => vouches.open(username.trim(), check)}
      onDone={(step) => {
        setUsername("");
        setTried(false);
        onDone(step);
      }}
    >
      <TextField
        name="username"
        label={t("open.username")}
        help={t("open.usernameHelp")}
        value={username}
        onChange={setUsername}
        autoComplete="off"
        maxLength={256}
        error={tried && !named ? t("open.usernameMissing") : null}
        testId="vouch-username"
      />
    </CheckForm>
  );
}
