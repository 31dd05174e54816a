"""The fields of each list: what they are called, how a text becomes a value, how a value is written. Pure.

Counterparts: `csv_files.py` and `yaml_files.py` deal in texts, `reading.py` and `writing.py` go through this one table,
so that everything that can be exported can be imported again.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, Final

from broker.duties import texts
from broker.duties.models import Kind
from broker.duties.texts import Words

ID_RULE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
CODE_RULE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,63}")
NAME_CHARS: Final = 100
LONG_CHARS: Final = 1_000
MOST_ITEMS: Final = 2_000
_CODE_JA: Final = "英数字と . _ @ - の64文字まで"
_CODE_EN: Final = "letters, digits and . _ @ -, at most 64"


class Wrong(Exception):
    """A text that is no value of its field: the code of a finding and its values."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `many` values stand in one CSV cell, apart by spaces, commas or line ends."""

    name: str
    title: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    many: bool = False
    empty: Any = None
    """The value of an empty text; None with `required` is a fault."""
    required: bool = False


def plain(text: str) -> str:
    """Full-width letters and digits become plain ones, spaces around go: for codes and choices, never for names."""
    return unicodedata.normalize("NFKC", text).strip()


def _id(text: str) -> str:
    value = plain(text)
    if not ID_RULE.fullmatch(value):
        raise Wrong("bad_id", value=text, rule_ja="英小文字・数字と _ - の64文字まで",
                    rule_en="small letters, digits, _ and -, at most 64")  # fmt: skip
    return value


def _code(text: str) -> str:
    value = plain(text)
    if not CODE_RULE.fullmatch(value):
        raise Wrong("bad_id", value=text, rule_ja=_CODE_JA, rule_en=_CODE_EN)
    return value


def _username(text: str) -> str:
    value = plain(text)
    if len(value) > 256 or not usable(value) or any(c.isspace() for c in value):
        raise Wrong("bad_id", value=text, rule_ja="空白のない256文字まで", rule_en="at most 256 characters, no spaces")
    return value


def usable(text: str, *, lines: bool = False) -> bool:
    """No control character (but line ends and tabs where `lines` may be), no half of a pair, nothing unassigned."""
    allowed = "\n\t" if lines else ""
    return all(c in allowed or unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Zl", "Zp") for c in text)


def _name(text: str) -> str:
    """Names stay as they are written: normalising would change 髙 and the like into other people's characters."""
    value = text.strip()
    if len(value) > NAME_CHARS or not usable(value):
        raise Wrong("bad_text", limit=NAME_CHARS)
    return value


def _lines(text: str) -> str:
    value = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(value) > LONG_CHARS or not usable(value, lines=True):
        raise Wrong("bad_text", limit=LONG_CHARS)
    return value


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = plain(text).replace(",", "")
        if not re.fullmatch(r"[0-9]{1,9}", digits) or not least <= int(digits) <= most:
            raise Wrong("bad_number", value=text, least=least, most=f"{most:,}")
        return int(digits)

    return parse


def _network(text: str) -> str:
    try:
        return str(ip_network(plain(text)))
    except ValueError:
        raise Wrong("bad_network", value=text) from None


def _choice(words: Mapping[Any, Words]) -> Callable[[str], StrEnum]:
    known = texts.spellings(words)
    choices_ja = "、".join(word.ja for word in words.values())
    choices_en = ", ".join(str(choice) for choice in words)

    def parse(text: str) -> StrEnum:
        found = known.get(plain(text).casefold()) or known.get(text.strip().casefold())
        if found is None:
            raise Wrong("bad_choice", value=text, choices_ja=choices_ja, choices_en=choices_en)
        return found

    return parse


def _shown(words: Mapping[Any, Words]) -> Callable[[Any], str]:
    return lambda choice: words[choice].ja


_LEAVE: Final = Words("休職", "on leave", ("休職中", "育休", "はい", "true", "yes", "1"))
_AT_WORK: Final = Words("在職", "at work", ("いいえ", "false", "no", "0"))


def _on_leave(text: str) -> bool:
    value = plain(text).casefold()
    for answer, words in ((True, _LEAVE), (False, _AT_WORK)):
        if value in (words.ja, words.en, *words.also):
            return answer
    raise Wrong("bad_choice", value=text, choices_ja=f"{_AT_WORK.ja}、{_LEAVE.ja}", choices_en="at work, on leave")


def _identity(title: str, parse: Callable[[str], str]) -> Field:
    return Field("id", title, parse, required=True)


_NAME_JA: Final = "name_ja"
_ENGLISH: Final = "英語名"
FIELDS: Final[Mapping[Kind, tuple[Field, ...]]] = {
    Kind.SITES: (
        _identity("拠点ID", _id),
        Field(_NAME_JA, "拠点名", _name, required=True),
        Field("name_en", _ENGLISH, _name, required=True),
        Field("networks", "ネットワーク", _network, many=True),
        Field("seats", "席数", _number(0, 100_000), empty=0),
        Field("bandwidth_mbps", "回線帯域Mbps", _number(0, 1_000_000), required=True),
    ),
    Kind.DEPARTMENTS: (
        _identity("所属コード", _code),
        Field(_NAME_JA, "所属名", _name, required=True),
        Field("name_en", _ENGLISH, _name, required=True),
        Field("approvers", "承認者", _username, many=True),
    ),
    Kind.STAFF: (
        _identity("職員番号", _code),
        Field("username", "ユーザー名", _username, required=True),
        Field("name", "氏名", _name, required=True),
        Field("kana", "ふりがな", _name, empty=""),
        Field("department", "所属コード", _code, required=True),
        Field("title", "職名", _name, empty=""),
        Field("employment", "雇用区分", _name, empty=""),
        Field("site", "拠点ID", _id),
        Field("on_leave", "在職状況", _on_leave, lambda value: (_LEAVE if value else _AT_WORK).ja, empty=False),
    ),
    Kind.DUTIES: (
        _identity("業務ID", _id),
        Field(_NAME_JA, "業務名", _name, required=True),
        Field("name_en", _ENGLISH, _name, required=True),
        Field("department", "所属コード", _code, required=True),
        Field("zone", "接続系", _choice(texts.ZONE), _shown(texts.ZONE), required=True),
        Field("telework", "テレワーク区分", _choice(texts.TELEWORK), _shown(texts.TELEWORK), required=True),
        Field("condition", "条件", _lines, empty=""),
        Field("priority", "優先度", _choice(texts.PRIORITY), _shown(texts.PRIORITY), required=True),
        Field("resume_within", "目標復旧時間", _choice(texts.RESUME), _shown(texts.RESUME)),
        Field("pools", "利用プール", _id, many=True),
        Field("desktops", "利用端末", _id, many=True),
        Field("people", "担当者", _username, many=True),
        Field("substitutes", "代替者", _username, many=True),
    ),
}
"""In the order of the columns."""


def title_of(kind: Kind, name: str) -> str:
    """What people call a field."""
    return next(field.title for field in FIELDS[kind] if field.name == name)


def shown(field: Field, value: Any) -> str:
    """A value as one text, as a cell or a diff shows it."""
    if field.many:
        return " ".join(field.show(item) for item in value)
    return "" if value is None else field.show(value)
