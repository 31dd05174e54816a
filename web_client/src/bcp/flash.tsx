/** The word after an act, at the top of whatever the console shows next. Gone with the next step a person takes. */
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { useVisit } from "../app/router";

interface Flash {
  readonly text: string | null;
  /** "next": on the page that the person is about to be taken to. */
  readonly say: (text: string, where?: "here" | "next") => void;
}

const FlashContext = createContext<Flash>({ text: null, say: () => undefined });

export function useFlash(): Flash {
  return useContext(FlashContext);
}

export function FlashProvider({ children }: { readonly children: ReactNode }) {
  const visit = useVisit();
  const [said, setSaid] = useState<{ readonly text: string; readonly visit: number } | null>(null);
  const text = said !== null && said.visit === visit ? said.text : null;
  const say = useCallback(
    (words: string, where: "here" | "next" = "here") =>
      setSaid({ text: words, visit: where === "next" ? visit + 1 : visit }),
    [visit],
  );
  const value = useMemo(() => ({ text, say }), [text, say]);
  return <FlashContext.Provider value={value}>{children}</FlashContext.Provider>;
}
