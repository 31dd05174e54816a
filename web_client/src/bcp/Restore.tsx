/** The way back to normal: what the emergency left behind on one list, taken back by ticks; the rules before and now. */
import { useState } from "react";
import { Form } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import { useFreshCode, wantsFreshCode } from "../app/useFreshCode";
import { useLoad } from "../app/useLoad";
import { Button, Notice } from "../ui/controls";
import { FreshCodeField } from "../ui/FreshCodeField";
import { Icon } from "../ui/Icon";
import { ErrorNotice, Loading } from "../ui/PageStates";
import { Tick } from "./choices";
import { bcp } from "./endpoints";
import { useStatus } from "./status";
import type { DeclarationView, Leftovers } from "./types";

export function Restore({ declaration }: { readonly declaration: DeclarationView }) {
  const { t } = useTranslation("bcp");
  const { value, error, reload } = useLoad((options) => bcp.leftovers(declaration.id, options));
  return (
    <section className="panel restore" aria-labelledby="restore" data-testid="bcp-restore">
      <h2 id="restore">{t("drill.restore.heading")}</h2>
      <p className="fine">{t("drill.restore.lead")}</p>
      {error === null ? null : <ErrorNotice error={error} onRetry={reload} />}
      {value !== null ? (
        <List key={JSON.stringify(value)} id={declaration.id} left={value} onDone={reload} />
      ) : error === null ? (
        <Loading />
      ) : null}
    </section>
  );
}

interface ListProps {
  readonly id: string;
  readonly left: Leftovers;
  readonly onDone: () => Promise<void>;
}

function List({ id, left, onDone }: ListProps) {
  const { t } = useTranslation("bcp");
  const { quietly } = useStatus();
  const code = useFreshCode();
  const [temporary, setTemporary] = useState<readonly string[]>([]);
  const [cards, setCards] = useState<readonly string[]>([]);
  const [verifiers, setVerifiers] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const nothing = left.temporary.length === 0 && left.cards.length === 0 && left.verifiers === 0;
  const ticked = temporary.length + cards.length + (verifiers ? 1 : 0);
  const toggled = (list: readonly string[], one: string, on: boolean) =>
    on ? [...list, one] : list.filter((other) => other !== one);
  const send = async () => {
    if (busy || ticked === 0 || !code.check()) {
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      // A code is good once, so it is not spent on what would be refused.
      if (!(await bcp.leftovers(id)).may_restore) {
        await onDone();
        setBusy(false);
        return;
      }
      const done = await quietly(async () =>
        (await code.prove()) ? bcp.restore(id, { temporary, cards, verifiers }) : null,
      );
      if (done !== null) {
        await onDone();
      }
    } catch (error) {
      if (wantsFreshCode(error)) {
        code.forget();
      }
      setFailure(error);
    }
    setBusy(false);
  };
  return (
    <>
      <Rules left={left} />
      {left.in_grace > 0 ? <p>{t("drill.restore.inGrace", { count: left.in_grace })}</p> : null}
      {left.others_active > 0 ? (
        <Notice kind="warning" live={false}>
          <p>{t("drill.restore.others", { count: left.others_active })}</p>
        </Notice>
      ) : null}
      {left.needs_directory && !nothing ? (
        <Notice
          kind="warning"
          testId="bcp-restore-waits"
          actions={
            <Button kind="secondary" onPress={() => void onDone()} data-testid="bcp-restore-again">
              {t("drill.restore.again")}
            </Button>
          }
        >
          <p>{t("drill.restore.needsDirectory")}</p>
        </Notice>
      ) : null}
      {nothing ? <p data-testid="bcp-restore-nothing">{t("drill.restore.nothing")}</p> : null}
      <div className="tick-list">
        {left.temporary.map((one) => (
          <Tick
            key={one.id}
            isSelected={temporary.includes(one.id)}
            onChange={(on) => setTemporary(toggled(temporary, one.id, on))}
            isDisabled={!left.may_restore}
            testId={`bcp-left-${one.username}`}
          >
            {t("drill.restore.temporary", { name: one.display_name, time: dateTime(one.expires_at) })}
          </Tick>
        ))}
        {left.cards.map((one) => (
          <Tick
            key={one.username}
            isSelected={cards.includes(one.username)}
            onChange={(on) => setCards(toggled(cards, one.username, on))}
            isDisabled={!left.may_restore}
            testId={`bcp-left-card-${one.username}`}
          >
            {t("drill.restore.card", { name: one.display_name, number: one.number, time: dateTime(one.issued_at) })}
          </Tick>
        ))}
        {left.verifiers === 0 ? null : (
          <Tick
            isSelected={verifiers}
            onChange={setVerifiers}
            isDisabled={!left.may_restore}
            testId="bcp-left-verifiers"
          >
            {t("drill.restore.verifiers", { count: left.verifiers })}
          </Tick>
        )}
      </div>
      {nothing || !left.may_restore ? null : (
        <Form
          className="restore-act"
          validationBehavior="aria"
          aria-labelledby="restore"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          {ticked === 0 ? null : <FreshCodeField code={code} testId="bcp-restore-code" />}
          {failure === null ? null : <ErrorNotice error={failure} />}
          <Button type="submit" kind="danger" busy={busy} isDisabled={ticked === 0} data-testid="bcp-restore-submit">
            {t("drill.restore.submit", { count: ticked })}
          </Button>
        </Form>
      )}
    </>
  );
}

function Rules({ left }: { readonly left: Leftovers }) {
  const { t } = useTranslation("bcp");
  const same = left.rules_before === left.rules_now;
  if (left.rules_before === "") {
    return <p className="fine">{t("drill.restore.rulesUnknown", { now: left.rules_now })}</p>;
  }
  return (
    <p className={same ? "seat-fit" : "seat-short"} data-testid="bcp-rules">
      <Icon name={same ? "check" : "warning"} size={18} />
      <span>
        {t(same ? "drill.restore.rulesSame" : "drill.restore.rulesOther", {
          before: left.rules_before,
          now: left.rules_now,
        })}
      </span>
    </p>
  );
}
