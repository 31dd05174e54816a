/** Pure: how to say the characters of a code on the telephone, one by one. */
import type { Language } from "../i18n";

const WORDS: Readonly<Record<string, readonly [ja: string, en: string]>> = {
  A: ["アルファ", "Alfa"],
  B: ["ブラボー", "Bravo"],
  C: ["チャーリー", "Charlie"],
  D: ["デルタ", "Delta"],
  E: ["エコー", "Echo"],
  F: ["フォックス", "Foxtrot"],
  G: ["ゴルフ", "Golf"],
  H: ["ホテル", "Hotel"],
  J: ["ジュリエット", "Juliett"],
  K: ["キロ", "Kilo"],
  L: ["リマ", "Lima"],
  M: ["マイク", "Mike"],
  N: ["ノベンバー", "November"],
  P: ["パパ", "Papa"],
  Q: ["ケベック", "Quebec"],
  R: ["ロメオ", "Romeo"],
  S: ["シエラ", "Sierra"],
  T: ["タンゴ", "Tango"],
  U: ["ユニフォーム", "Uniform"],
  V: ["ビクター", "Victor"],
  W: ["ウイスキー", "Whiskey"],
  X: ["エックスレイ", "X-ray"],
  Y: ["ヤンキー", "Yankee"],
  Z: ["ズールー", "Zulu"],
  "2": ["数字のに", "two"],
  "3": ["数字のさん", "three"],
  "4": ["数字のよん", "four"],
  "5": ["数字のご", "five"],
  "6": ["数字のろく", "six"],
  "7": ["数字のなな", "seven"],
  "8": ["数字のはち", "eight"],
  "9": ["数字のきゅう", "nine"],
};

export interface Spoken {
  readonly sign: string;
  readonly word: string;
}

/** The groups of a code with what to say for each character; what has no word is said as it is. */
export function spoken(code: string, language: Language): readonly (readonly Spoken[])[] {
  return code.split("-").map((group) =>
    [...group].map((sign) => ({ sign, word: WORDS[sign]?.[language === "ja" ? 0 : 1] ?? sign })),
  );
}
