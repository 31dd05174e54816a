/** The coloured head that a declaration has everywhere: sign, level, scope, and 【訓練】 before all when it is one. */
import { useTranslation } from "react-i18next";
import { LevelMark } from "./LevelMark";
import { drillMark, levelName, scopeName } from "./names";
import type { DeclarationView } from "./types";

interface LevelBandProps {
  readonly declaration: DeclarationView;
  /** Given on cards, where the band is the card's heading. */
  readonly headingId?: string;
}

export function LevelBand({ declaration, headingId }: LevelBandProps) {
  const { t } = useTranslation("bcp");
  const { drill, level } = declaration;
  const words = (
    <>
      {drill ? <span className="drill-word">{drillMark(true)}</span> : null}
      <span className="band-level">{levelName(declaration)}</span>
      <span className="band-scope">{scopeName(declaration)}</span>
    </>
  );
  return (
    <div className="level-band">
      <LevelMark level={level} size={36} />
      {headingId === undefined ? (
        <p className="band-title">{words}</p>
      ) : (
        <h3 className="band-title" id={headingId}>
          {words}
        </h3>
      )}
      {declaration.break_glass ? <p className="band-note">{t("card.breakGlass")}</p> : null}
    </div>
  );
}
