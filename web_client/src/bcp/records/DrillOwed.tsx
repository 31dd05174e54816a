/** On the board: a drill that is owed, or soon will be. Nothing while all is well. */
import { useTranslation } from "react-i18next";
import { navigate } from "../../app/router";
import { useLoad } from "../../app/useLoad";
import { pick } from "../../i18n";
import { Button, Notice } from "../../ui/controls";
import { records } from "./endpoints";

export function DrillOwed() {
  const { t } = useTranslation("bcp");
  const { value } = useLoad(records.drills);
  const year = value?.years[0];
  const owed = year?.halves.find((half) => half.state === "overdue") ?? year?.halves.find((half) => half.state === "due_soon");
  if (owed === undefined) {
    return null;
  }
  const overdue = owed.state === "overdue";
  return (
    <Notice
      kind={overdue ? "warning" : "info"}
      live={false}
      testId="bcp-drill-owed"
      actions={
        <Button kind="secondary" onPress={() => navigate({ page: "bcp", view: { kind: "drills" } })} data-testid="bcp-drill-owed-open">
          {t("drills.open")}
        </Button>
      }
    >
      <p>{t(overdue ? "drills.owed" : "drills.soon", { half: pick(owed.name_ja, owed.name_en) })}</p>
    </Notice>
  );
}
