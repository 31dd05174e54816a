"""What people call the choices of the register. Pure. Counterparts: files (both ways), the API, the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.duties.models import Kind, Part, Priority, ResumeWithin, Telework
from policy.model import Zone


@dataclass(frozen=True, slots=True)
class Words:
    """One thing in both languages, and how else it is written in files."""

    ja: str
    en: str
    also: tuple[str, ...] = ()


KIND: Final[Mapping[Kind, Words]] = {
    Kind.SITES: Words("拠点", "sites"),
    Kind.DEPARTMENTS: Words("所属", "departments"),
    Kind.STAFF: Words("職員", "staff"),
    Kind.DUTIES: Words("業務", "duties"),
}
TELEWORK: Final[Mapping[Telework, Words]] = {
    Telework.ALLOWED: Words("可", "allowed", ("○", "〇")),
    Telework.CONDITIONAL: Words("条件付", "conditional", ("条件付き", "△")),
    Telework.NEVER: Words("不可", "never", ("×",)),
}
PRIORITY: Final[Mapping[Priority, Words]] = {
    Priority.P0: Words("P0", "P0"),
    Priority.P1: Words("P1", "P1"),
    Priority.P2: Words("P2", "P2"),
    Priority.P3: Words("P3", "P3"),
    Priority.P4: Words("P4", "P4"),
}
RESUME: Final[Mapping[ResumeWithin, Words]] = {
    ResumeWithin.HOURS_3: Words("3時間", "3 hours", ("3時間以内",)),
    ResumeWithin.DAY_1: Words("1日", "1 day", ("1日以内", "24時間")),
    ResumeWithin.DAYS_3: Words("3日", "3 days", ("3日以内", "72時間")),
    ResumeWithin.WEEKS_2: Words("2週間", "2 weeks", ("2週間以内", "14日")),
    ResumeWithin.MONTH_1: Words("1か月", "1 month", ("1か月以内", "1ヶ月", "1ヵ月", "1カ月", "1ケ月", "1箇月")),
}
ZONE: Final[Mapping[Zone, Words]] = {
    Zone.MY_NUMBER: Words(Zone.MY_NUMBER.name_ja, Zone.MY_NUMBER.name_en, ("マイナンバー系", "個人番号利用事務系")),
    Zone.LGWAN: Words(Zone.LGWAN.name_ja, Zone.LGWAN.name_en, ("LGWAN系",)),
    Zone.INTERNET: Words(Zone.INTERNET.name_ja, Zone.INTERNET.name_en, ("インターネット系",)),
}
PART: Final[Mapping[Part, Words]] = {
    Part.MAIN: Words("担当者", "on the roster"),
    Part.SUBSTITUTE: Words("代替者", "substitute"),
}


def spellings(words: Mapping[StrEnum, Words]) -> dict[str, StrEnum]:
    """Every way in which a file may write a choice, folded to small letters."""
    found: dict[str, StrEnum] = {}
    for choice, word in words.items():
        for text in (str(choice), word.ja, word.en, *word.also):
            found[text.casefold()] = choice
    return found
