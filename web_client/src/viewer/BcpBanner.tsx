/** What BCP mode means for the session on the screen, below the bar, until it is read and closed. A new one comes back. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { desktops } from "../api/endpoints";
import type { BcpNotice } from "../api/types";
import { usePublicNotice } from "../app/useNotice";
import { Button } from "../ui/controls";
import { NoticeBanners } from "../ui/NoticeBanners";

const EVERY_MS = 10_000;

export function BcpBanner() {
  const { t } = useTranslation();
  const changed = usePublicNotice(EVERY_MS);
  const [notices, setNotices] = useState<readonly BcpNotice[]>([]);
  const [closed, setClosed] = useState("");
  // Asked for only when the public notice has changed: asking for one's own desktops keeps the login alive.
  useEffect(() => {
    let alive = true;
    desktops
      .list()
      .then((answer) => {
        if (alive) {
          setNotices(answer.notices ?? []);
        }
      })
      .catch(() => undefined);
    return () => {
      alive = false;
    };
  }, [changed]);
  const key = notices.map((notice) => `${notice.kind} ${notice.text_ja} ${notice.until}`).join("\n");
  return (
    <div className="viewer-banner viewer-bcp" data-testid="viewer-bcp">
      <NoticeBanners notices={key === closed ? [] : notices} />
      {key === "" || key === closed ? null : (
        <Button kind="quiet" icon="close" onPress={() => setClosed(key)} data-testid="viewer-bcp-close">
          {t("common.noticeClose")}
        </Button>
      )}
    </div>
  );
}
