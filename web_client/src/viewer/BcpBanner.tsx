/** What BCP mode means for the session on the screen, below the bar, until it is read and closed. A new one comes back. */
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { desktops } from "../api/endpoints";
import type { BcpNotice } from "../api/types";
import { useChanges } from "../app/useChanges";
import { NoticesDialog } from "../notices/NoticesDialog";
import { Button } from "../ui/controls";
import { NoticeBanners } from "../ui/NoticeBanners";

export function BcpBanner() {
  const { t } = useTranslation();
  const [notices, setNotices] = useState<readonly BcpNotice[]>([]);
  const [closed, setClosed] = useState("");
  const [reading, setReading] = useState(false);
  const read = useCallback(() => {
    // What was shown stays when the question fails: the next change, or the stream itself, tells more.
    desktops.list({ background: true }).then((answer) => setNotices(answer.notices ?? []), () => undefined);
  }, []);
  useEffect(read, [read]);
  useChanges(["desktops", "sessions"], read);
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
