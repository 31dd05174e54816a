/** One notice: what holds now, the details at a press, and one tap for "read" or "can I work". */
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { pick } from "../i18n";
import { Button, TextField } from "../ui/controls";
import { Icon, type IconName } from "../ui/Icon";
import { ErrorNotice } from "../ui/PageStates";
import { owed, staffNotices, type Ability, type StaffNotice } from "./endpoints";

const ABILITIES: readonly (readonly [Ability, IconName])[] = [
  ["can", "check"],
  ["partly", "warning"],
  ["cannot", "close"],
];
const MAX_NOTE = 200;

interface NoticeCardProps {
  readonly notice: StaffNotice;
  readonly onChanged: () => Promise<void>;
}

export function NoticeCard({ notice, onChanged }: NoticeCardProps) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const headingId = `notice-${notice.id}`;
  const send = async (act: () => Promise<void>) => {
    if (busy) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await act();
      await onChanged();
    } catch (problem) {
      setFailure(problem);
    }
    setBusy(false);
  };
  const due = owed(notice);
  return (
    <li
      className={`staff-notice${due === null ? "" : " staff-notice-due"}${notice.drill ? " staff-notice-drill" : ""}`}
      data-testid={headingId}
      data-owed={due ?? "nothing"}
    >
      <article aria-labelledby={headingId}>
        <h3 id={headingId}>{pick(notice.subject_ja, notice.subject_en)}</h3>
        <p className="fine">{dateTime(notice.at)}</p>
        <p>{pick(notice.lead_ja, notice.lead_en)}</p>
        <details>
          <summary data-testid={`notice-more-${notice.id}`}>{t("notices.details")}</summary>
          <dl className="notice-rows">
            {notice.rows.map(([labelJa, labelEn, ja, en]) => (
              <div key={labelJa}>
                <dt>{pick(labelJa, labelEn)}</dt>
                <dd>{pick(ja, en)}</dd>
              </div>
            ))}
          </dl>
        </details>
        {notice.wants_answer ? (
          <Answer notice={notice} busy={busy} send={(ability, note) => void send(() => staffNotices.answer(notice.id, ability, note))} />
        ) : due === "read" ? (
          <div>
            <Button
              kind="primary"
              busy={busy}
              onPress={() => void send(() => staffNotices.read(notice.id))}
              data-testid={`notice-read-${notice.id}`}
            >
              {t("notices.read")}
            </Button>
          </div>
        ) : (
          <p className="notice-done">
            <Icon name="check" />
            {t("notices.wasRead", { time: dateTime(notice.read_at ?? notice.at) })}
          </p>
        )}
        {failure === null ? null : <ErrorNotice error={failure} />}
      </article>
    </li>
  );
}

interface AnswerProps {
  readonly notice: StaffNotice;
  readonly busy: boolean;
  readonly send: (ability: Ability, note: string) => void;
}

/** One tap answers, and confirms as well; words are for those who want to add some. */
function Answer({ notice, busy, send }: AnswerProps) {
  const { t } = useTranslation();
  const [note, setNote] = useState(notice.note);
  const { ability, id } = notice;
  return (
    <div className="ability" role="group" aria-labelledby={`ability-${id}`}>
      <p id={`ability-${id}`} className="ability-question">
        {t("notices.question")}
      </p>
      <div className="ability-choices">
        {ABILITIES.map(([name, icon]) => (
          <AriaButton
            key={name}
            className={`ability-choice ability-${name}`}
            aria-pressed={ability === name}
            onPress={() => {
              if (!busy) {
                send(name, note);
              }
            }}
            data-testid={`notice-${name}-${id}`}
          >
            <Icon name={icon} size={24} />
            <span>{t(`notices.ability.${name}`)}</span>
          </AriaButton>
        ))}
      </div>
      <p className="notice-done" role="status" data-testid={`notice-answered-${id}`}>
        {ability === null ? null : (
          <>
            <Icon name="check" />
            {t("notices.answered", { answer: t(`notices.ability.${ability}`) })}
          </>
        )}
      </p>
      {ability === null || ability === "can" ? null : (
        <form
          className="ability-note"
          onSubmit={(event) => {
            event.preventDefault();
            send(ability, note.trim());
          }}
        >
          <TextField
            name={`note-${id}`}
            label={t("notices.note")}
            value={note}
            onChange={setNote}
            maxLength={MAX_NOTE}
            testId={`notice-note-${id}`}
          />
          <Button kind="secondary" type="submit" busy={busy} data-testid={`notice-note-send-${id}`}>
            {t("notices.sendNote")}
          </Button>
        </form>
      )}
    </div>
  );
}
