/** Pure: where text may break on a narrow line. Browsers take 用デスクトップ for one word, and 8時 | 06分 for two. */

const SEAM = "\u200b";
/** Before a Katakana word that follows other letters, and before a bracket. No look-behind: Safari 16.0 cannot read it. */
const SEAMS = /([^\p{Script=Katakana}ー・（(\s])(?=\p{Script=Katakana})|([^\s])(?=[（(])/gu;

export function wordsOf(name: string): readonly string[] {
  return name.replace(SEAMS, `$&${SEAM}`).split(SEAM);
}

/** The same text, in which a time such as 8時06分 goes to the next line as one. */
export function wholeTimes(text: string): string {
  return text.replace(/(\d時)(?=\d)/g, "$1\u2060");
}
