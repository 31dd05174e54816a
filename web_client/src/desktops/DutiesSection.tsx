/** "Your duties": each with whether and where it can be done now. Without a duty there is no section. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { pick } from "../i18n";
import { Icon } from "../ui/Icon";
import { iconFor, placesToShow, reasonsToShow, type Duty } from "./duties";

export function DutiesSection({ items }: { readonly items: readonly Duty[] }) {
  const { t } = useTranslation();
  if (items.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="duties" data-testid="duties">
      <h2 id="duties">{t("duties.title")}</h2>
      <p className="fine">{t("duties.lead")}</p>
      <ul className="duties">
        {items.map((duty) => (
          <DutyRow key={duty.id} duty={duty} />
        ))}
      </ul>
    </section>
  );
}

function DutyRow({ duty }: { readonly duty: Duty }) {
  const { t } = useTranslation();
  const headingId = `duty-${duty.id}`;
  const places = placesToShow(duty);
  const names = places.map((place) => pick(place.name_ja, place.name_en)).join(t("duties.and"));
  return (
    <li className={`duty duty-${duty.status}`} data-testid={headingId}>
      <article aria-labelledby={headingId}>
        <h3 id={headingId}>{pick(duty.name_ja, duty.name_en)}</h3>
        <p className="card-tags">
          <span className={`tag tag-${duty.zone}`}>{pick(duty.zone_ja, duty.zone_en)}</span>
          {duty.part === "substitute" ? <span className="tag">{pick(duty.part_ja, duty.part_en)}</span> : null}
          <span>{pick(duty.department_ja, duty.department_en)}</span>
          <span>{t("duties.priority", { priority: duty.priority, resume: pick(duty.resume_ja, duty.resume_en) })}</span>
        </p>
        <p className="duty-status">
          <Icon name={iconFor(duty.status)} />
          <span>
            {pick(duty.status_ja, duty.status_en)}
            {duty.available_from === null ? null : (
              <strong> {t("duties.from", { time: dateTime(duty.available_from) })}</strong>
            )}
          </span>
        </p>
        {names === "" ? null : <p className="duty-line">{t("duties.places", { names })}</p>}
        {reasonsToShow(duty).map((reason) => (
          <p key={reason.code + reason.text_ja} className="duty-line">
            {pick(reason.text_ja, reason.text_en)}
          </p>
        ))}
        {duty.condition === "" || duty.status === "never" ? null : (
          <p className="duty-line duty-condition">
            <strong>{t("duties.condition")}</strong>
            {"\n"}
            <span lang="ja">{duty.condition}</span>
          </p>
        )}
      </article>
    </li>
  );
}
