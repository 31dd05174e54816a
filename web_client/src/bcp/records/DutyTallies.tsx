/** Every duty with its counts; a press shows its people, asked for only then. */
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import type { RequestOptions } from "../../api/http";
import { pick } from "../../i18n";
import { Button } from "../../ui/controls";
import { ErrorNotice, Loading } from "../../ui/PageStates";
import { records } from "./endpoints";
import { PeopleList } from "./PeopleList";
import { TallyRow } from "./TallyRow";
import type { DutyTally } from "./types";
import { useLive } from "./useLive";
import { RECEIPTS } from "./useReach";

export function DutyTallies({ declarationId, duties }: { readonly declarationId: string; readonly duties: readonly DutyTally[] }) {
  const { t } = useTranslation("bcp");
  const [open, setOpen] = useState<string | null>(null);
  return (
    <section className="panel" aria-labelledby="by-duty">
      <h2 id="by-duty">{t("reach.byDuty")}</h2>
      <ul className="tallies">
        {duties.map(({ duty, priority, department_ja, department_en, tally }) => {
          const name = pick(duty.name_ja, duty.name_en);
          const shown = open === duty.id;
          return (
            <TallyRow
              key={duty.id}
              testId={`bcp-duty-${duty.id}`}
              title={
                <>
                  <span className="class-chip">{priority}</span> <strong>{name}</strong>{" "}
                  <span className="fine">{pick(department_ja, department_en)}</span>
                </>
              }
              tally={tally}
            >
              <div className="print-hidden">
                <Button
                  kind="quiet"
                  onPress={() => setOpen(shown ? null : duty.id)}
                  aria-expanded={shown}
                  data-testid={`bcp-duty-people-${duty.id}`}
                >
                  {t(shown ? "reach.hideNames" : "reach.showNames", { list: name })}
                </Button>
              </div>
              {shown ? <People declarationId={declarationId} duty={duty.id} /> : null}
            </TallyRow>
          );
        })}
      </ul>
    </section>
  );
}

function People({ declarationId, duty }: { readonly declarationId: string; readonly duty: string }) {
  const load = useCallback(
    (options: RequestOptions) => records.dutyPeople(declarationId, duty, options),
    [declarationId, duty],
  );
  const { value, error, reload } = useLive(load, RECEIPTS);
  if (value === null) {
    return error === null ? <Loading /> : <ErrorNotice error={error} onRetry={reload} />;
  }
  return <PeopleList people={value.people} testId={`bcp-people-of-${duty}`} />;
}
