/** The state of everything on one page: what waits for me, what is in force and until when, what I can begin. */
import { useEffect } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { navigate } from "../app/router";
import { Icon, type IconName } from "../ui/Icon";
import { PageHeading } from "../ui/PageStates";
import { DeclarationCard } from "./DeclarationCard";
import { History } from "./History";
import { LevelMark } from "./LevelMark";
import { Load } from "./Load";
import { mayBreakGlass, mayPropose, tasks } from "./permission";
import { Officials, Places } from "./Places";
import { DrillOwed } from "./records/DrillOwed";
import { inForce, overall } from "./situation";
import { useKnownStatus } from "./status";
import { TaskCard } from "./TaskCard";
import { useNow } from "./useNow";

export function Board() {
  const { t } = useTranslation("bcp");
  const { t: common } = useTranslation();
  const status = useKnownStatus();
  const now = useNow();
  const waiting = tasks(status, now);
  const active = inForce(status.active, now);
  const situation = overall(status.active, now);
  const real = active.filter((one) => !one.drill).length;
  const mine = waiting.filter((one) => one.mine).length;
  const title = mine === 0 ? t("title") : t("titleTasks", { count: mine });
  useEffect(() => {
    document.title = `${title} - ${common("common.product")}`;
  }, [title, common]);

  return (
    <>
      <header
        className={`situation level-${situation.level}${situation.drill ? " situation-drill" : ""}`}
        data-testid="bcp-situation"
        data-level={situation.level}
      >
        <LevelMark level={situation.level} size={56} />
        <div>
          <PageHeading title={t("title")}>
            <span className="situation-label">{t("board.heading")}</span>
            <span className="situation-level">{t(`level.${situation.level}`)}</span>
          </PageHeading>
          <p>{real === 0 ? t("board.normal") : t("board.inForce", { count: real })}</p>
          <p className="situation-time">{t("updated", { time: dateTime(status.now) })}</p>
        </div>
        {situation.drill ? (
          <p className="drill-stamp" data-testid="bcp-drill-stamp">
            {t(real === 0 ? "board.drillOnly" : "board.drillToo")}
          </p>
        ) : null}
      </header>
      {waiting.length === 0 ? null : (
        <section aria-labelledby="tasks">
          <h2 id="tasks">{t("task.heading")}</h2>
          <ul className="cards">
            {waiting.map((task) => (
              <TaskCard key={`${task.kind} ${task.declaration.id}`} task={task} />
            ))}
          </ul>
        </section>
      )}
      <div className="bcp-columns">
        <div className="bcp-main">
          {active.length === 0 ? null : (
            <section className="bcp-active" aria-labelledby="active">
              <h2 id="active">{t("board.activeHeading")}</h2>
              <ul className="cards">
                {active.map((declaration) => (
                  <DeclarationCard key={declaration.id} declaration={declaration} />
                ))}
              </ul>
            </section>
          )}
          {mayPropose(status.me.roles) ? <Beginnings /> : null}
          <Places />
          <History />
        </div>
        <div className="bcp-side">
          <Load />
          {real === 0 ? <DrillOwed /> : null}
          <Officials />
        </div>
      </div>
    </>
  );
}

function Beginnings() {
  const { t } = useTranslation("bcp");
  const { me } = useKnownStatus();
  const alone = mayBreakGlass(me);
  const begin = (kind: "declare" | "drill" | "break-glass", words: "declare" | "drill" | "breakGlass", icon: IconName) => (
    <AriaButton
      className={`begin begin-${kind}`}
      isDisabled={kind === "break-glass" && !alone}
      onPress={() => navigate({ page: "bcp", view: { kind } })}
      data-testid={`bcp-begin-${kind}`}
    >
      <Icon name={icon} size={28} />
      <span>
        <strong>{t(`board.${words}`)}</strong>
        <span className="begin-help">
          {t(kind === "break-glass" && !alone ? "board.breakGlassOfficials" : `board.${words}Help`)}
        </span>
      </span>
    </AriaButton>
  );
  return (
    <section className="bcp-begin" aria-labelledby="begin">
      <h2 id="begin">{t("board.actions")}</h2>
      <div className="beginnings">
        {begin("declare", "declare", "shield")}
        {begin("drill", "drill", "clipboard")}
        {begin("break-glass", "breakGlass", "warning")}
      </div>
    </section>
  );
}
