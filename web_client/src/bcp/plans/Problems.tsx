/** Errors and warnings of a plan, each with the line of the plan or the rule that it is about. */
import { pick } from "../../i18n";
import { Notice } from "../../ui/controls";
import type { PlanProblem } from "./types";

export function Problems({ problems }: { readonly problems: readonly PlanProblem[] }) {
  if (problems.length === 0) {
    return null;
  }
  const error = problems.some((one) => one.severity === "error");
  return (
    <Notice kind={error ? "error" : "warning"} live={false} testId="plan-problems">
      <ul className="rules">
        {problems.map((one) => (
          <li key={`${one.path} ${one.text_en}`}>
            {pick(one.text_ja, one.text_en)} <code className="fine">{one.rule ?? one.path}</code>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
