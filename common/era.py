"""Dates as Japanese offices write them: 和暦 with 西暦, weekdays, fiscal years (4/1 to 3/31). Pure.

Counterparts: notices, reports and cards. Moments are stored in UTC and shown in Tokyo; this module does the showing and
decides nothing. The table of eras is data: a new era is one more line.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from common.clock import TOKYO

_WEEKDAYS_JA: Final = "月火水木金土日"
_WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Era:
    """An era (元号): its first day, its name, its letter on forms."""

    start: date
    name: str
    letter: str


ERAS: Final[tuple[Era, ...]] = (
    Era(date(2019, 5, 1), "令和", "R"),
    Era(date(1989, 1, 8), "平成", "H"),
    Era(date(1926, 12, 25), "昭和", "S"),
    Era(date(1912, 7, 30), "大正", "T"),
    Era(date(1873, 1, 1), "明治", "M"),  # the day on which the Gregorian calendar began: Meiji 6
)
"""Newest first. Meiji is counted from 1868, but days before 1873 belonged to another calendar."""
_MEIJI_FIRST_YEAR: Final = 1868


def era_year(day: date, eras: tuple[Era, ...] = ERAS) -> str:
    """ "令和8年", "令和元年"; "1870年" for a day before the table begins."""
    for era in eras:
        if day >= era.start:
            first = _MEIJI_FIRST_YEAR if era.name == "明治" else era.start.year
            return f"{era.name}{_numbered(day.year - first + 1)}年"
    return f"{day.year}年"


def _numbered(year: int) -> str:
    return "元" if year == 1 else str(year)


def date_ja(day: date, *, weekday: bool = False) -> str:
    """ "令和8年11月22日（2026年）", with the weekday "令和8年11月22日（2026年・日）"."""
    known = f"{day.year}年"
    mark = f"・{_WEEKDAYS_JA[day.weekday()]}" if weekday else ""
    year = era_year(day)
    if year == known:
        return f"{year}{day.month}月{day.day}日" + (f"（{mark[1:]}）" if mark else "")
    return f"{year}{day.month}月{day.day}日（{known}{mark}）"


def moment_ja(moment: datetime, *, weekday: bool = False) -> str:
    """An aware moment in Tokyo: "令和8年11月22日（2026年）19時05分"."""
    local = moment.astimezone(TOKYO)
    return f"{date_ja(local.date(), weekday=weekday)}{local.hour}時{local.minute:02}分"


def clock_ja(moment: datetime) -> str:
    """For timelines, to the second: "令和8年11月22日 19:05:09" in Tokyo."""
    local = moment.astimezone(TOKYO)
    return f"{era_year(local.date())}{local.month}月{local.day}日 {local:%H:%M:%S}"


def moment_en(moment: datetime) -> str:
    """ "22 Nov 2026 (Sun) 19:05 JST"."""
    local = moment.astimezone(TOKYO)
    day = f"{local.day} {_MONTHS_EN[local.month - 1]} {local.year} ({_WEEKDAYS_EN[local.weekday()]})"
    return f"{day} {local.hour}:{local.minute:02} JST"


def short(moment: datetime) -> str:
    """For columns of tables: "2026/11/22 19:05:09" in Tokyo, which sorts."""
    return f"{moment.astimezone(TOKYO):%Y/%m/%d %H:%M:%S}"


def length_ja(length: timedelta) -> str:
    """ "3日4時間", "2時間5分", "45秒"; what is over is cut off, never rounded up."""
    return _length(length, ("日", "時間", "分", "秒"), "")


def length_en(length: timedelta) -> str:
    """ "3 d 4 h", "2 h 5 min", "45 s"."""
    return _length(length, (" d", " h", " min", " s"), " ")


def _length(length: timedelta, units: tuple[str, str, str, str], between: str) -> str:
    seconds = max(0, int(length.total_seconds()))
    parts = (seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60, seconds % 60)
    first = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
    shown = [f"{parts[i]}{units[i]}" for i in range(first, min(first + 2, len(parts))) if parts[i] or i == first]
    return between.join(shown)


@dataclass(frozen=True, slots=True, order=True)
class FiscalYear:
    """年度: the year that begins on 1 April of `year`."""

    year: int

    @property
    def start(self) -> date:
        """1 April."""
        return date(self.year, 4, 1)

    @property
    def end(self) -> date:
        """31 March, the last day."""
        return date(self.year + 1, 3, 31)

    @property
    def name_ja(self) -> str:
        """ "令和8年度（2026年度）". Named after the era in which the calendar year of its beginning ended, as the state
        did: the year from April 2019 is 令和元年度."""
        return f"{era_year(date(self.year, 12, 31))}度（{self.year}年度）"

    @property
    def name_en(self) -> str:
        """ "FY2026"."""
        return f"FY{self.year}"


def fiscal_year(moment: date | datetime) -> FiscalYear:
    """The fiscal year of a day, or of an aware moment as seen in Tokyo."""
    day = moment.astimezone(TOKYO).date() if isinstance(moment, datetime) else moment
    return FiscalYear(day.year if day.month >= 4 else day.year - 1)
