/** Errors and warnings of a plan, each with the field of the form, else the line of the plan or the rule it is about. */
import { useTranslation } from "react-i18next";
import { pick } from "../../i18n";
import { Notice } from "../../ui/controls";
import { fieldOf } from "./fieldOf";
import type { PlanProblem } from "./types";

interface ProblemsProps {
  readonly problems: readonly PlanProblem[];
  /** They stand in the form, beside the fields. */
  readonly inForm?: boolean;
}

export function Problems({ problems, inForm = false }: ProblemsProps) {
  const { t } = useTranslation("plans");
  if (problems.length === 0) {
    return null;
  }
  const error = problems.some((one) => one.severity === "error");
  return (
    <Notice kind={error ? "error" : "warning"} live={false} testId="plan-problems">
      <ul className="rules">
        {problems.map((one) => {
          const field = inForm ? fieldOf(one.path) : null;
          const text = pick(one.text_ja, one.text_en);
          return (
            <li key={`${one.path} ${one.text_en}`}>
              {field === null ? (
                <>
                  {text} <code className="fine">{one.rule ?? one.path}</code>
                </>
              ) : (
                t("form.fault", { field, text })
              )}
            </li>
          );
        })}
      </ul>
    </Notice>
  );
}
