/** What the person has been told: open while it asks or is news; what is over lies folded below. */
import { useTranslation } from "react-i18next";
import { arranged, owed, type StaffNotice } from "./endpoints";
import { NoticeCard } from "./NoticeCard";

interface NoticesSectionProps {
  readonly items: readonly StaffNotice[];
  readonly onChanged: () => Promise<void>;
  /** In a dialog, whose title says it already. */
  readonly titled?: boolean;
}

export function NoticesSection({ items, onChanged, titled = true }: NoticesSectionProps) {
  const { t } = useTranslation();
  const { open, folded } = arranged(items);
  const unread = folded.filter((notice) => owed(notice) !== null).length;
  if (items.length === 0) {
    return null;
  }
  const card = (notice: StaffNotice) => <NoticeCard key={notice.id} notice={notice} onChanged={onChanged} />;
  return (
    <section className="staff-notices" aria-label={t("notices.title")} data-testid="notices">
      {titled ? <h2>{t("notices.title")}</h2> : null}
      {open.length === 0 ? null : <ul className="cards">{open.map(card)}</ul>}
      {folded.length === 0 ? null : (
        <details>
          <summary data-testid="notices-over">
            {t("notices.over", { count: folded.length })}
            {unread === 0 ? null : t("notices.unread", { count: unread })}
          </summary>
          <ul className="cards">{folded.map(card)}</ul>
        </details>
      )}
    </section>
  );
}
