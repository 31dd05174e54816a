/** The four numbers of a declaration on its card and its page, with the way to names and lists. */
import { useTranslation } from "react-i18next";
import { navigate } from "../../app/router";
import { Button } from "../../ui/controls";
import { declarationName } from "../names";
import type { DeclarationView } from "../types";
import { Tiles } from "./Tiles";
import { useReach } from "./useReach";

export function ReachSummary({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { id } = declaration;
  const { value } = useReach(id);
  return (
    <div className="reach-summary" data-testid={`bcp-reach-${id}`}>
      {value === null ? null : value.total.people === 0 ? (
        <p className="fine">{t("reach.nobodyYet")}</p>
      ) : (
        <Tiles tally={value.total} small />
      )}
      <Button
        kind="secondary"
        icon="user"
        wide
        onPress={() => navigate({ page: "bcp", view: { kind: "people", id } })}
        aria-label={t("reach.openNamed", { name: declarationName(declaration) })}
        data-testid={`bcp-people-open-${id}`}
      >
        {t("reach.open")}
      </Button>
    </div>
  );
}
