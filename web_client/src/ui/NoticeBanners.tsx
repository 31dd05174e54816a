/** What BCP mode means for people: plain words from the gateway, until when, whom to call. Text only, never markup. */
import { useTranslation } from "react-i18next";
import type { BcpNotice, PublicNotice } from "../api/types";
import { dateTime } from "../app/format";
import { pick } from "../i18n";
import { Notice } from "./controls";
import { wholeTimes } from "./words";

export function isDrillNotice(notice: BcpNotice): boolean {
  return notice.kind.includes("drill");
}

/** The notices of a signed-in person. Said aloud when a new one comes. */
export function NoticeBanners({ notices }: { readonly notices: readonly BcpNotice[] }) {
  return (
    <div className="bcp-notices" role="status" data-testid="bcp-notices">
      {notices.map((notice) => (
        <NoticeBanner key={`${notice.kind} ${notice.text_ja} ${notice.until}`} notice={notice} />
      ))}
    </div>
  );
}

function NoticeBanner({ notice }: { readonly notice: BcpNotice }) {
  const { t } = useTranslation();
  const contact = pick(notice.contact_ja, notice.contact_en);
  const text = pick(notice.text_ja, notice.text_en);
  const mark = isDrillNotice(notice) && !text.startsWith(t("common.noticeDrill")) ? t("common.noticeDrill") : "";
  return (
    <Notice kind="warning" live={false} testId={`bcp-notice-${notice.kind}`}>
      <p className="bcp-notice-text">
        {mark}
        {wholeTimes(text)}
      </p>
      {notice.until === null && contact === "" ? null : (
        <p className="bcp-notice-foot">
          {notice.until === null ? null : <strong>{t("common.noticeUntil", { time: dateTime(notice.until) })}</strong>}
          {contact === "" ? null : <span>{t("common.noticeContact", { contact })}</span>}
        </p>
      )}
    </Notice>
  );
}

/** The same before the login, without any detail. */
export function PublicBanner({ notice }: { readonly notice: PublicNotice["bcp"] }) {
  const { t } = useTranslation();
  if (notice === null) {
    return null;
  }
  const text = pick(notice.text_ja, notice.text_en);
  const mark = notice.drill && !text.startsWith(t("common.noticeDrill")) ? t("common.noticeDrill") : "";
  return (
    <Notice kind="warning" testId="login-bcp-notice">
      <p className="bcp-notice-text">
        {mark}
        {wholeTimes(text)}
      </p>
    </Notice>
  );
}
