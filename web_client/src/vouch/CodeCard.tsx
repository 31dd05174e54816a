/** The activation code, once: large, in groups, with a word for each character, and how long it works. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { dateTime, duration } from "../app/format";
import { useNow } from "../bcp/useNow";
import { currentLanguage } from "../i18n";
import { Button, Notice } from "../ui/controls";
import type { Vouch } from "./endpoints";
import { spoken } from "./speech";

interface CodeCardProps {
  readonly vouch: Vouch;
  readonly code: string;
  readonly onDone: () => void;
}

export function CodeCard({ vouch, code, onDone }: CodeCardProps) {
  const { t } = useTranslation("vouch");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const left = (Date.parse(vouch.expires_at) - useNow()) / 1000;
  return (
    <section className="panel code-card" aria-labelledby="activation" data-testid="vouch-code-card">
      <h2 id="activation" tabIndex={-1} ref={heading}>
        {t("code.title", { name: vouch.display_name })}
      </h2>
      {left <= 0 ? (
        <Notice kind="error">
          <p>{t("code.over")}</p>
        </Notice>
      ) : (
        <>
          <p className="activation-code" data-testid="vouch-code">
            <code>{code}</code>
          </p>
          <p role="timer" aria-live="off">
            <strong>{`${t("code.left")} ${duration(left)}`}</strong>
          </p>
          <p>{t("code.once", { time: dateTime(vouch.expires_at) })}</p>
          <h3 id="spoken">{t("code.read")}</h3>
          <div className="spoken" role="group" aria-labelledby="spoken">
            {spoken(code, currentLanguage()).map((group, index) => (
              <ol key={index}>
                {group.map(({ sign, word }, place) => (
                  <li key={place}>
                    <code>{sign}</code>
                    <span>{word}</span>
                  </li>
                ))}
              </ol>
            ))}
          </div>
          <p>{t("code.next")}</p>
        </>
      )}
      <Button kind="primary" wide onPress={onDone} data-testid="vouch-code-done">
        {t("code.done")}
      </Button>
    </section>
  );
}
