/** What the person has been told: open while something is owed or still asks; what is over lies folded below. */
import { useTranslation } from "react-i18next";
import { isOpen, type StaffNotice } from "./endpoints";
import { NoticeCard } from "./NoticeCard";

interface NoticesSectionProps {
  readonly items: readonly StaffNotice[];
  readonly onChanged: () => Promise<void>;
}

export function NoticesSection({ items, onChanged }: NoticesSectionProps) {
  const { t } = useTranslation();
  const open = items.filter(isOpen);
  const over = items.filter((notice) => !isOpen(notice));
  if (items.length === 0) {
    return null;
  }
  const card = (notice: StaffNotice) => <NoticeCard key={notice.id} notice={notice} onChanged={onChanged} />;
  return (
    <section className="staff-notices" aria-labelledby="notices" data-testid="notices">
      <h2 id="notices" tabIndex={-1}>
        {t("notices.title")}
      </h2>
      {open.length === 0 ? null : <ul className="cards">{open.map(card)}</ul>}
      {over.length === 0 ? null : (
        <details className="staff-notices-over">
          <summary data-testid="notices-over">{t("notices.over", { count: over.length })}</summary>
          <ul className="cards">{over.map(card)}</ul>
        </details>
      )}
    </section>
  );
}
