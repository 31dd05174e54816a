/** Asks what a proposal or a declaration would change. */
import { bcp } from "./endpoints";
import type { DeclarationView, Proposal } from "./types";
import { useAsked, type Asked } from "./useAsked";

export function useWhatIf(proposal: Proposal | null): Asked {
  const key = proposal === null ? null : JSON.stringify(proposal);
  return useAsked(key, (allNames, signal) =>
    proposal === null ? Promise.reject(new Error("nothing to ask")) : bcp.whatIf(proposal, allNames, signal),
  );
}

/** `endsAt`: as if it ended then; null: when it will, with what waits. A changed declaration is asked about anew. */
export function useWhatIfOf(declaration: DeclarationView | null, endsAt: string | null = null): Asked {
  const key =
    declaration === null ? null : [declaration.id, declaration.digest, declaration.pending?.digest, endsAt].join(" ");
  return useAsked(key, (allNames, signal) =>
    declaration === null
      ? Promise.reject(new Error("nothing to ask"))
      : bcp.whatIfOf(declaration.id, endsAt, allNames, signal),
  );
}
