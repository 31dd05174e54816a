/** The notices over the desktop in use: read and answered without leaving it. */
import { useTranslation } from "react-i18next";
import { useLoad } from "../app/useLoad";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { ErrorNotice, Loading } from "../ui/PageStates";
import { staffNotices } from "./endpoints";
import { NoticesSection } from "./NoticesSection";

export function NoticesDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation();
  const { value, error, reload } = useLoad(staffNotices.list);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("notices.title")}
      testId="notices-dialog"
      actions={
        <Button kind="secondary" onPress={onClose} data-testid="notices-dialog-close">
          {t("common.close")}
        </Button>
      }
    >
      {value === null ? (
        error === null ? (
          <Loading />
        ) : (
          <ErrorNotice error={error} onRetry={reload} />
        )
      ) : value.items.length === 0 ? (
        <p>{t("notices.none")}</p>
      ) : (
        <NoticesSection items={value.items} onChanged={reload} titled={false} />
      )}
    </Dialog>
  );
}
