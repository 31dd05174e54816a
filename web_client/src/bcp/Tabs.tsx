/** The parts of the console side by side: what is now, what was reported, which drills are owed, the plans. */
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { navigate, type BcpView } from "../app/router";

const TABS = ["board", "reports", "drills", "plans"] as const;
type Tab = (typeof TABS)[number];

/** The tab that a page lies under. */
const UNDER: Partial<Record<BcpView["kind"], Tab>> = {
  declaration: "board",
  extend: "board",
  people: "board",
  report: "reports",
  plan: "plans",
  "plan-edit": "plans",
};

export function Tabs({ view }: { readonly view: BcpView }) {
  const { t } = useTranslation("bcp");
  return (
    <nav className="bcp-tabs print-hidden" aria-label={t("tabs.label")}>
      {TABS.map((kind) => (
        <Link
          key={kind}
          className="nav-link"
          {...(view.kind === kind ? { "aria-current": "page" as const } : UNDER[view.kind] === kind ? { "aria-current": true } : {})}
          onPress={() => navigate({ page: "bcp", view: { kind } })}
          data-testid={`bcp-tab-${kind}`}
        >
          {t(`tabs.${kind}`)}
        </Link>
      ))}
    </nav>
  );
}
