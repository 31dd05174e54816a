"""Breaks text into lines of a given width the way Japanese is set (禁則処理). Pure.

Counterpart: `common/paper.py`, which measures and draws. Runs of ASCII stay whole where they fit; a line begins with no
closing mark or small kana and ends with no opening one.
"""

from collections.abc import Callable, Iterator
from typing import Final

NOT_FIRST: Final = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.:;?!)]}%％…‥"
)
NOT_LAST: Final = frozenset("‘“（〔［｛〈《「『【([{￥$＄")
_MOST_MOVED: Final = 8
"""A run of marks that may not begin a line is given up on after so many steps back."""


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Lines no wider than `width`, at least one. `measure` gives the width of a piece of text, which must be the sum of
    its characters'. A single character that is wider than the line stands alone."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_paragraph(paragraph, width, measure))
    return lines


def _paragraph(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    rest = text.rstrip()
    while True:
        end = _fitting(rest, width, measure)
        if end >= len(rest):
            yield rest
            return
        end = _allowed(rest, end)
        yield rest[:end].rstrip(" ")
        rest = rest[end:].lstrip(" ")
        if not rest:
            return


def _fitting(text: str, width: float, measure: Callable[[str], float]) -> int:
    """How many characters fit; at least one."""
    used = 0.0
    for index, character in enumerate(text):
        used += measure(character)
        if used > width + 1e-6:
            return max(1, index)
    return len(text)


def _allowed(text: str, end: int) -> int:
    """The last place at or before `end` where the line may break; `end` itself when there is none near."""
    place = end
    while place > 1 and not _breakable(text, place):
        if end - place > _MOST_MOVED and not (_word(text[place - 1]) and _word(text[place])):
            return end
        place -= 1
    return place if place > 1 or _breakable(text, place) else end


def _breakable(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if after == " " or before == " ":
        return True
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    return not (_word(before) and _word(after))


def _word(character: str) -> bool:
    return character.isascii() and character != " "
