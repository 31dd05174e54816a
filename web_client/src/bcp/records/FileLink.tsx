/** A file of the administration to save: a plain link, so that the browser fetches, shows progress and saves by itself. */
import type { ReactNode } from "react";
import { Icon, type IconName } from "../../ui/Icon";

interface FileLinkProps {
  readonly href: string;
  readonly icon: IconName;
  readonly label?: string;
  readonly testId: string;
  readonly children: ReactNode;
}

export function FileLink({ href, icon, label, testId, children }: FileLinkProps) {
  return (
    <a className="button button-secondary" href={href} download aria-label={label} data-testid={testId}>
      <Icon name={icon} />
      <span>{children}</span>
    </a>
  );
}
