/** Common frame of a log-in step: heading, error, form. */
import { useEffect, useRef, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";

interface StepFormProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly problem: ReactNode;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
  /** Steps that open with something to read start at the heading, all others in their field. */
  readonly focusHeading?: boolean;
}

export function StepForm({ title, lead, problem, onSubmit, children, focusHeading = false }: StepFormProps) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} - ${t("common.product")}`;
  }, [title, t]);
  useEffect(() => {
    if (focusHeading) {
      heading.current?.focus();
    }
  }, [focusHeading]);
  return (
    <Form
      className="step-form"
      validationBehavior="aria"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <h1 className="page-heading" tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {lead === undefined ? null : <p className="lead">{lead}</p>}
      {problem}
      {children}
    </Form>
  );
}
