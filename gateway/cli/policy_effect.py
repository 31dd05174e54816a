"""The effect of another policy in words, Japanese or English. Pure.

Counterparts: `gateway/cli/policy.py` asks the gateway and prints, `gateway/schemas_policy.py` is the answer's form.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from common.clock import TOKYO

Language = Literal["ja", "en"]

_WHAT: Final = {
    "desktop:connect": ("接続", "connect"),
    "desktop:view": ("閲覧", "look"),
    "desktop:control": ("操作", "control"),
    "clipboard:in": ("貼り付け", "paste in"),
    "clipboard:out": ("持ち出し", "copy out"),
    "terms": ("時間・文字数・画質", "limits, characters, quality"),
}
_WEEKDAYS_JA: Final = "月火水木金土日"


def lines(found: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Counts first, then each change with an example; names where the answer has them."""
    japanese = language == "ja"
    versions = f"{found['against_version']} → {found['version']}"
    size = found["people"], found["pools"], found["situations"]
    if japanese:
        yield f"版 {versions}。職員 {size[0]:,}人、プール {size[1]}、状況 {size[2]}通り（宣言中の緩和は含みません）"
        yield f"増える人 {found['gain_people']:,}、減る人 {found['lose_people']:,}"
    else:
        yield f"version {versions}: {size[0]:,} people, {size[1]} pools, {size[2]} situations (declarations left out)"
        yield f"{found['gain_people']:,} people gain, {found['lose_people']:,} lose"
    if not found["changes"]:
        yield "だれの利用範囲も変わりません。" if japanese else "Nothing changes for anybody."
        return
    alike: dict[tuple[str, int, int], list[str]] = {}
    for count in found["counts"]:
        alike.setdefault((count["what"], count["gain"], count["lose"]), []).append(count["pool_id"])
    for (what, gain, lose), pools in alike.items():
        yield f"  +{gain:,} -{lose:,}  {_what(what, language)}: {', '.join(pools)}"
    for gained in (False, True):
        changes = [change for change in found["changes"] if change["gain"] is gained]
        if changes:
            yield ""
            yield ("増えること" if gained else "減ること") if japanese else ("gained" if gained else "lost")
        for change in changes:
            yield f"  {_change(change, found['situations'], language)}"
            for person in change["named"]:
                yield f"      {person['username']}  {person['display_name']}  {person['department'] or '-'}"


def _change(change: Mapping[str, Any], tried: int, language: Language) -> str:
    what = ("、" if language == "ja" else ", ").join(_what(one, language) for one in change["what"])
    pools, sign = ", ".join(change["pools"]), "+" if change["gain"] else "-"
    if language == "ja":
        where = f"{tried}通り中{change['situations']}通り、例: {_example(change['example'], language)}"
        return f"{sign}{change['people']:,}人 {pools}: {what}（{where}）"
    where = f"in {change['situations']} of {tried} situations, such as {_example(change['example'], language)}"
    return f"{sign}{change['people']:,} {pools}: {what} ({where})"


def _example(situation: Mapping[str, Any], language: Language) -> str:
    moment = datetime.fromisoformat(situation["at"]).astimezone(TOKYO)
    fact = situation[f"fact_{language}"]
    if language == "ja":
        when = f"{moment:%Y-%m-%d}（{_WEEKDAYS_JA[moment.weekday()]}）{moment:%H:%M}"
        return f"{when}、{situation['place_ja']}から" + (f"、{fact}" if fact else "")
    return f"{moment:%a %Y-%m-%d %H:%M} from {situation['place_en']}" + (f", {fact}" if fact else "")


def _what(what: str, language: Language) -> str:
    return _WHAT[what][0 if language == "ja" else 1]
