/** Ten new recovery codes against a fresh code of the authenticator app; the old ones stop working. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { account } from "../api/endpoints";
import { useIdentity } from "../app/identity";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/Dialog";
import { RecoveryCodes } from "../ui/RecoveryCodes";
import { CodeProof } from "./CodeProof";

export function NewRecoveryCodes() {
  const { t } = useTranslation();
  const { refresh } = useIdentity();
  const [asking, setAsking] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);

  const close = () => {
    setCodes(null);
    setAsking(false);
    void refresh();
  };
  return (
    <>
      <div>
        <Button kind="secondary" onPress={() => setAsking(true)} data-testid="new-codes-open">
          {t("account.codesNew")}
        </Button>
      </div>
      <Dialog
        isOpen={asking}
        onClose={close}
        title={t(codes === null ? "account.codesNew" : "recoveryCodes.title")}
        alert={codes !== null}
        testId="new-codes-dialog"
        actions={
          codes === null ? (
            <Button kind="secondary" onPress={close}>
              {t("common.cancel")}
            </Button>
          ) : (
            <Button kind="primary" onPress={close} data-testid="new-codes-close">
              {t("account.codesClose")}
            </Button>
          )
        }
      >
        {codes === null ? (
          <CodeProof
            lead={t("account.codesNewBody")}
            submit={t("account.codesMake")}
            testId="new-codes"
            send={account.newRecoveryCodes}
            onDone={(answer) => setCodes(answer.recovery_codes)}
          />
        ) : (
          <RecoveryCodes codes={codes} />
        )}
      </Dialog>
    </>
  );
}
