"""Names for invented people: how they are written, read, and spelled in a login name. Pure tables.

Counterpart: `gateway/demo/synthetic.py`. Some are written with characters that careless programs break: outside of JIS
X 0208 (髙, 﨑), outside of the basic plane (𠮷, 𣘺), or close to more usual ones (邉, 齋).
"""

from typing import Final

_FAMILY: Final = """
佐藤 さとう satou|鈴木 すずき suzuki|髙橋 たかはし takahashi|田中 たなか tanaka|伊藤 いとう itou|渡邉 わたなべ watanabe
山本 やまもと yamamoto|中村 なかむら nakamura|小林 こばやし kobayashi|加藤 かとう katou|𠮷田 よしだ yoshida
山田 やまだ yamada|佐々木 ささき sasaki|山口 やまぐち yamaguchi|松本 まつもと matsumoto|井上 いのうえ inoue
木村 きむら kimura|林 はやし hayashi|齋藤 さいとう saitou|清水 しみず shimizu|山﨑 やまざき yamazaki|森 もり mori
池田 いけだ ikeda|橋本 はしもと hashimoto|阿部 あべ abe|石川 いしかわ ishikawa|前田 まえだ maeda|藤田 ふじた fujita
後藤 ごとう gotou|岡田 おかだ okada|宮﨑 みやざき miyazaki|長谷川 はせがわ hasegawa|村上 むらかみ murakami
近藤 こんどう kondou|石井 いしい ishii|坂本 さかもと sakamoto|遠藤 えんどう endou|青木 あおき aoki|藤井 ふじい fujii
西村 にしむら nishimura|福田 ふくだ fukuda|太田 おおた oota|三浦 みうら miura|藤原 ふじわら fujiwara
松田 まつだ matsuda|岡本 おかもと okamoto|中川 なかがわ nakagawa|中野 なかの nakano|原田 はらだ harada
小川 おがわ ogawa|竹内 たけうち takeuchi|金子 かねこ kaneko|和田 わだ wada|中山 なかやま nakayama
石田 いしだ ishida|上田 うえだ ueda|森田 もりた morita|原 はら hara|柴田 しばた shibata|酒井 さかい sakai
工藤 くどう kudou|横山 よこやま yokoyama|宮本 みやもと miyamoto|内田 うちだ uchida|高木 たかぎ takagi
安藤 あんどう andou|谷口 たにぐち taniguchi|大野 おおの oono|丸山 まるやま maruyama|今井 いまい imai
河野 こうの kouno|𣘺本 はしもと hashimoto|濵田 はまだ hamada|桒原 くわはら kuwahara|神﨑 かんざき kanzaki
邊見 へんみ henmi|土屋 つちや tsuchiya|眞鍋 まなべ manabe|櫻井 さくらい sakurai|廣瀬 ひろせ hirose
五十嵐 いがらし igarashi|勅使河原 てしがわら teshigawara|小野寺 おのでら onodera
"""
_GIVEN: Final = """
花子 はなこ hanako|一郎 いちろう ichirou|翔 しょう shou|美咲 みさき misaki|健太 けんた kenta|結衣 ゆい yui
大輔 だいすけ daisuke|さくら さくら sakura|拓海 たくみ takumi|葵 あおい aoi|誠 まこと makoto|莉奈 りな rina
悠太 ゆうた yuuta|芽依 めい mei|亮 りょう ryou|遥 はるか haruka|直樹 なおき naoki|茜 あかね akane|海斗 かいと kaito
恵 めぐみ megumi|淳 じゅん jun|あゆみ あゆみ ayumi|浩二 こうじ kouji|信夫 のぶお nobuo|玲 れい rei|翼 つばさ tsubasa
千尋 ちひろ chihiro|空 そら sora|恵美 えみ emi|茂 しげる shigeru|陽菜 ひな hina|蓮 れん ren|優子 ゆうこ yuuko
隆 たかし takashi|真由美 まゆみ mayumi|剛 つよし tsuyoshi|友美 ともみ tomomi|学 まなぶ manabu|由紀 ゆき yuki
哲也 てつや tetsuya|久美子 くみこ kumiko|和也 かずや kazuya|麻衣 まい mai|修 おさむ osamu|愛 あい ai|智子 ともこ tomoko
彩 あや aya|雄一 ゆういち yuuichi|舞 まい mai|進 すすむ susumu|沙織 さおり saori|豊 ゆたか yutaka|香織 かおり kaori
達也 たつや tatsuya|裕子 ゆうこ yuuko|秀樹 ひでき hideki|瞳 ひとみ hitomi|勝 まさる masaru|奈々 なな nana
晶 あきら akira|薫 かおる kaoru|慎吾 しんご shingo|明日香 あすか asuka|聡 さとし satoshi|美穂 みほ miho
祐希 ゆうき yuuki|千夏 ちなつ chinatsu|駿 しゅん shun|桜子 さくらこ sakurako|凜 りん rin|大翔 ひろと hiroto
"""


def _table(text: str) -> tuple[tuple[str, str, str], ...]:
    rows = text.replace("\n", "|").split("|")
    return tuple((written, kana, roman) for row in rows if row for written, kana, roman in [row.split()])


FAMILY: Final = _table(_FAMILY)
"""Written, reading, login name."""
GIVEN: Final = _table(_GIVEN)
"""Written, reading, login name."""
FAMILY_KANA: Final = {written: kana for written, kana, _ in FAMILY}
GIVEN_KANA: Final = {written: kana for written, kana, _ in GIVEN}
