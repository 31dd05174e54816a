/** Names for whoever telephones: class, name, section, duty, and what is known. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../../app/format";
import { pick } from "../../i18n";
import { Icon, type IconName } from "../../ui/Icon";
import type { FollowedPerson, Standing } from "./types";

const ICONS: Record<Standing, IconName> = {
  failed: "warning",
  waiting: "clock",
  told: "send",
  read: "eye",
  answered: "check",
  working: "desktop",
};

export function PeopleList({ people, testId }: { readonly people: readonly FollowedPerson[]; readonly testId: string }) {
  return (
    <ul className="people" data-testid={testId}>
      {people.map((person) => (
        <PersonRow key={person.username} person={person} />
      ))}
    </ul>
  );
}

function PersonRow({ person }: { readonly person: FollowedPerson }) {
  const { t } = useTranslation("bcp");
  const { standing, ability, duty } = person;
  const unit = [pick(person.department_ja, person.department_en), person.title].filter((text) => text !== "").join(" ");
  const when = person.answered_at ?? person.read_at;
  return (
    <li>
      <span className="class-chip">{person.priority ?? t("reach.noClass")}</span>
      <div>
        <p>
          <strong>{person.name}</strong> <span className="fine">{unit}</span>
        </p>
        {duty === null ? null : <p className="fine">{pick(duty.name_ja, duty.name_en)}</p>}
        {person.note === "" ? null : <p className="person-note">{t("reach.said", { note: person.note })}</p>}
      </div>
      <p className={`standing standing-${standing}`}>
        <Icon name={ICONS[standing]} />
        <span>
          {ability === null ? t(`reach.standing.${standing}`) : t(`reach.ability.${ability}`)}
          {ability !== null && standing === "working" ? ` / ${t("reach.standing.working")}` : null}
          {when === null ? null : <span className="fine standing-when">{dateTime(when)}</span>}
        </span>
      </p>
    </li>
  );
}
