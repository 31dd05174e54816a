/** What BCP mode means for the session on the screen, below the bar, until it is read and closed. A new one comes back. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { BcpNotice } from "../api/types";
import { NoticesDialog } from "../notices/NoticesDialog";
import { Button } from "../ui/controls";
import { NoticeBanners } from "../ui/NoticeBanners";

export function BcpBanner({ notices }: { readonly notices: readonly BcpNotice[] }) {
  const { t } = useTranslation();
  const [closed, setClosed] = useState("");
  const [reading, setReading] = useState(false);
  const key = notices.map((notice) => `${notice.kind} ${notice.text_ja} ${notice.until}`).join("\n");
  return (
    <div className="viewer-banner viewer-bcp" data-testid="viewer-bcp">
      <NoticeBanners notices={key === closed ? [] : notices} />
      {key === "" || key === closed ? null : (
        <>
          <Button kind="secondary" onPress={() => setReading(true)} data-testid="viewer-bcp-open">
            {t("notices.open")}
          </Button>
          <Button kind="quiet" icon="close" onPress={() => setClosed(key)} data-testid="viewer-bcp-close">
            {t("common.noticeClose")}
          </Button>
        </>
      )}
      {reading ? <NoticesDialog onClose={() => setReading(false)} /> : null}
    </div>
  );
}
