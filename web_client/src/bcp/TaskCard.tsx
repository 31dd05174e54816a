/** Something that waits for a second person: who asks for what, how long there is, one big button. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { navigate } from "../app/router";
import { Button } from "../ui/controls";
import { Countdown } from "./Countdown";
import { LevelMark } from "./LevelMark";
import { drillMark, levelName, scopeName } from "./names";
import { isReader, type Task } from "./permission";
import { useKnownStatus } from "./status";

const OPEN = { approve: "task.openApprove", extend_approve: "task.openExtend", ratify: "task.openRatify" } as const;

export function TaskCard({ task }: { readonly task: Task }) {
  const { t } = useTranslation("bcp");
  const { me } = useKnownStatus();
  const { declaration, kind, mine } = task;
  const { pending } = declaration;
  const proposer = kind === "extend_approve" && pending !== null ? pending.person : (declaration.signatures[0]?.person ?? "");
  return (
    <li
      className={`task level-${declaration.level}${declaration.drill ? " is-drill" : ""}${mine ? " task-mine" : ""}`}
      data-testid={`bcp-task-${declaration.id}`}
    >
      <article>
        <p className="task-kind">{t(`task.${kind}`)}</p>
        <h3>
          <LevelMark level={declaration.level} />
          <span>
            {drillMark(declaration.drill)}
            {levelName(declaration)}
            <span className="task-scope">{scopeName(declaration)}</span>
          </span>
        </h3>
        <p className="task-reason">{declaration.reason}</p>
        <p>
          {t("task.proposedBy")}: <strong>{proposer}</strong>
          {kind === "extend_approve" && pending !== null ? ` / ${t("task.newEnd")}: ${dateTime(pending.ends_at)}` : ""}
        </p>
        <Countdown
          end={task.deadline}
          label={t(kind === "ratify" ? "task.endsUnratified" : "task.lapses")}
          short={kind !== "ratify"}
          testId={`bcp-task-left-${declaration.id}`}
        />
        <Button
          kind={mine ? "primary" : "secondary"}
          wide
          onPress={() => navigate({ page: "bcp", view: { kind: "declaration", id: declaration.id } })}
          data-testid={`bcp-open-${declaration.id}`}
        >
          {t(mine ? OPEN[kind] : "task.openRead")}
        </Button>
        {mine || isReader(me.roles) ? null : <p className="fine">{t("task.notMine")}</p>}
      </article>
    </li>
  );
}
