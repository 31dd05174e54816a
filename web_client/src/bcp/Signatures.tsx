/** Who signed what and when, with the place in the 代行順位. */
import { useTranslation } from "react-i18next";
import { dateTime } from "../app/format";
import type { SignatureView } from "./types";

const KNOWN = [
  "proposed",
  "approved",
  "declared",
  "ratified",
  "extension_proposed",
  "extension_approved",
  "narrowed",
  "recovered",
  "lifted",
  "rejected",
] as const;

export function Signatures({ signatures }: { readonly signatures: readonly SignatureView[] }) {
  const { t } = useTranslation("bcp");
  return (
    <section className="panel" aria-labelledby="signatures" data-testid="bcp-signatures">
      <h2 id="signatures">{t("card.signatures")}</h2>
      {signatures.length === 0 ? <p className="fine">{t("card.noSignatures")}</p> : null}
      <ol className="signatures">
        {signatures.map((one) => (
          <li key={`${one.role} ${one.at} ${one.person}`}>
            <p>
              <strong>{t(`role.${KNOWN.find((role) => role === one.role) ?? "other"}`)}</strong> {one.person}
              {one.department === null ? null : <span className="fine">{one.department}</span>}
            </p>
            <p className="fine">
              {dateTime(one.at)}
              {" / "}
              {one.listed_rank === null ? t("card.unlisted") : t("card.listed", { rank: one.listed_rank })}
              {one.acting ? ` / ${t("card.acting")}` : ""}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
