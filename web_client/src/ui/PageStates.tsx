/** What a page shows while it loads, when it cannot load, and when it does not exist. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, NetworkError } from "../api/http";
import { navigate } from "../app/router";
import { pick } from "../i18n";
import { Button, Notice } from "./controls";

/** Sets the title of the window and moves the focus to the heading when a new page opens. */
export function PageHeading({ children, title }: { readonly children: ReactNode; readonly title: string }) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} - ${t("common.product")}`;
  }, [title, t]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 className="page-heading" tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}

export function Loading() {
  const { t } = useTranslation();
  const [late, setLate] = useState(false);
  useEffect(() => {
    // A flash of text for 100 ms only disturbs.
    const timer = window.setTimeout(() => setLate(true), 300);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div className="loading" role="status">
      {late ? (
        <>
          <span className="spinner" aria-hidden="true" />
          <p>{t("common.loading")}</p>
        </>
      ) : null}
    </div>
  );
}

interface ErrorNoticeProps {
  readonly error: unknown;
  readonly onRetry?: () => unknown;
  /** What failed, where the page cannot tell by itself. */
  readonly title?: string;
}

export function ErrorNotice({ error, onRetry, title }: ErrorNoticeProps) {
  const { t } = useTranslation();
  const retry =
    onRetry === undefined ? undefined : (
      <Button kind="secondary" icon="refresh" onPress={() => void onRetry()}>
        {t("common.retry")}
      </Button>
    );
  if (error instanceof ApiError) {
    const { problem } = error;
    const away = problem.code === "store_unavailable";
    return (
      <Notice kind="error" title={title ?? t(away ? "error.unavailableTitle" : "error.refusedTitle")} actions={retry} testId="error">
        <p>{pick(problem.text_ja, problem.text_en)}</p>
        {away ? null : <WaitHint seconds={problem.retry_after_seconds} />}
        {problem.request_id ? <p className="fine">{t("common.requestId", { id: problem.request_id })}</p> : null}
      </Notice>
    );
  }
  const timedOut = error instanceof NetworkError && error.timedOut;
  return (
    <Notice
      kind="error"
      title={title ?? t(timedOut ? "error.timeoutTitle" : "error.offlineTitle")}
      actions={retry}
      testId="error"
    >
      <p>{t(timedOut ? "error.timeoutBody" : "error.offlineBody")}</p>
    </Notice>
  );
}

export function WaitHint({ seconds }: { readonly seconds: number | null | undefined }) {
  const { t } = useTranslation();
  if (seconds === null || seconds === undefined || seconds <= 0) {
    return null;
  }
  return (
    <p>
      {seconds < 90
        ? t("error.waitSeconds", { count: Math.ceil(seconds) })
        : t("error.waitMinutes", { count: Math.ceil(seconds / 60) })}
    </p>
  );
}

export function Unreachable({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => unknown }) {
  const { t } = useTranslation();
  return (
    <div className="narrow">
      <PageHeading title={t("common.product")}>{t("common.product")}</PageHeading>
      <ErrorNotice error={error} onRetry={onRetry} />
    </div>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  return (
    <div className="narrow">
      <PageHeading title={t("common.notFoundTitle")}>{t("common.notFoundTitle")}</PageHeading>
      <p className="lead">{t("common.notFoundBody")}</p>
      <div>
        <Button kind="primary" onPress={() => navigate({ page: "desktops" })}>
          {t("common.toDesktops")}
        </Button>
      </div>
    </div>
  );
}
