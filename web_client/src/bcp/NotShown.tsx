/** A page of the console that cannot be shown: a heading and a title like any other, the reason, a way to try again. */
import { ApiError } from "../api/http";
import { Notice } from "../ui/controls";
import { ErrorNotice, PageHeading } from "../ui/PageStates";

interface NotShownProps {
  readonly title: string;
  readonly error: unknown;
  readonly onRetry: () => unknown;
  /** What a 404 means here. */
  readonly gone?: string;
}

export function NotShown({ title, error, onRetry, gone }: NotShownProps) {
  return (
    <div className="bcp-narrow">
      <PageHeading title={title}>{title}</PageHeading>
      {gone !== undefined && error instanceof ApiError && error.status === 404 ? (
        <Notice kind="error" testId="bcp-gone">
          <p>{gone}</p>
        </Notice>
      ) : (
        <ErrorNotice error={error} onRetry={onRetry} />
      )}
    </div>
  );
}
