/** The word after an act, at the top of whatever the console shows next. Gone with the next step a person takes. */
import { createContext, useContext, useMemo, useState, type ReactNode } from "react";
import { useVisit } from "../app/router";

interface Flash {
  readonly text: string | null;
  readonly say: (text: string) => void;
}

const FlashContext = createContext<Flash>({ text: null, say: () => undefined });

export function useFlash(): Flash {
  return useContext(FlashContext);
}

export function FlashProvider({ children }: { readonly children: ReactNode }) {
  const visit = useVisit();
  const [said, setSaid] = useState<{ readonly text: string; readonly visit: number } | null>(null);
  // Said just before a change of page, it is read on the page after it: one visit further is still the same word.
  const text = said !== null && visit - said.visit <= 1 ? said.text : null;
  const value = useMemo(() => ({ text, say: (words: string) => setSaid({ text: words, visit }) }), [text, visit]);
  return <FlashContext.Provider value={value}>{children}</FlashContext.Provider>;
}
