"""Clock time and working days in Japan, as integers: minutes of the day and day ordinals. Pure.

Counterpart: `policy.conditions` (hours and dates) and `policy.refusals` (the next moment at which access opens).
It must not ask what time it is.

A window belongs to the day on which it begins: "22:00-06:00 on workdays" covers Saturday 02:00 (Friday's night
shift) and not Monday 02:00. "24:00" is the end of a day; a window is half open, so 17:15 itself is outside
"08:30-17:15".
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Final

import jpholiday

JST: Final = timezone(timedelta(hours=9), "JST")
"""Tokyo. A fixed offset is exact (no summer time since 1951) and four times as fast as a zone database entry."""

MINUTES_A_DAY: Final = 1440
DAYS_A_WEEK: Final = 7
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=JST).astimezone(UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DAYS_KEPT: Final = 1000


class DayKind(StrEnum):
    """Named sets of days. A holiday is any day on which the city office is closed, weekends included."""

    EVERY_DAY = "every_day"
    WORKDAYS = "workdays"
    HOLIDAYS = "holidays"


class Weekday(StrEnum):
    """Days of the week by their English abbreviation."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEKDAYS: Final = tuple(Weekday)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A part of the day in minutes from its midnight: 0 <= start < 1440, start < end <= start + 1440. An end beyond
    1440 lies on the next day."""

    start: int
    end: int

    def __str__(self) -> str:
        end = self.end if self.end <= MINUTES_A_DAY else self.end - MINUTES_A_DAY
        return f"{self.start // 60:02d}:{self.start % 60:02d}-{end // 60:02d}:{end % 60:02d}"


WHOLE_DAY: Final = Window(0, MINUTES_A_DAY)


def window(text: str) -> Window:
    """Parse "08:30-17:15", "22:00-06:00" (over midnight) or "17:00-24:00". Raises ValueError."""
    first, dash, second = text.partition("-")
    if not dash:
        raise ValueError(text)
    start, end = _minute(first), _minute(second)
    if start in (MINUTES_A_DAY, end):
        raise ValueError(text)
    return Window(start, end if end > start else end + MINUTES_A_DAY)


def _minute(text: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and len(minutes) == 2 and hours.isascii() and minutes.isascii()):
        raise ValueError(text)
    if not (hours.isdigit() and minutes.isdigit()):
        raise ValueError(text)
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > MINUTES_A_DAY:
        raise ValueError(text)
    return value


_last: tuple[datetime, int, int] = (_EPOCH, _EPOCH_DAY, 0)


def local(moment: datetime) -> tuple[int, int]:
    """Day ordinal and minute of the day in Tokyo. Raises TypeError for a naive moment.

    One decision asks for the same moment in several rules, so the last answer is kept (by identity: hashing a moment
    costs more than converting it; one assignment of a whole tuple is safe between threads).
    """
    global _last
    known, day, minute = _last
    if moment is not known:
        since = moment - _EPOCH
        day, minute = since.days + _EPOCH_DAY, since.seconds // 60
        _last = moment, day, minute
    return day, minute


def at(day: int, minute: int) -> datetime:
    """The moment (UTC) of a minute of a local day; the minute may lie beyond the day."""
    return _EPOCH + timedelta(days=day - _EPOCH_DAY, minutes=minute)


def monday(day: int) -> int:
    """The day ordinal of the Monday of that day's week (1 January of year 1, ordinal 1, is one)."""
    return day - (day - 1) % DAYS_A_WEEK


def stretch(moment: datetime, edges: Sequence[int]) -> tuple[datetime, datetime]:
    """The part of the moment's local day, [since, until), in which no edge lies (minutes of the day, ascending)."""
    day, minute = local(moment)
    following = bisect_right(edges, minute)
    since = edges[following - 1] if following else 0
    until = edges[following] if following < len(edges) else MINUTES_A_DAY
    return at(day, since), at(day, until)


@lru_cache(maxsize=64)
def _public_holidays(year: int) -> frozenset[int]:
    """National holidays with substitutes and bridge days, and the offices' year-end closure 12/29-1/3 (in the
    municipalities' ordinances since 1988). jpholiday takes microseconds a day, hence the cache per year."""
    days = {found.toordinal() for found, _name in jpholiday.year_holidays(year)}
    days |= {date(year, 1, day).toordinal() for day in (1, 2, 3)}
    days |= {date(year, 12, day).toordinal() for day in (29, 30, 31)}
    return frozenset(days)


class Calendar:
    """Which days the city office works: the law's holidays, weekends, year-end, and the city's own exceptions."""

    def __init__(self, overrides: Mapping[date, bool]) -> None:
        """`overrides` says for single days whether they are workdays."""
        self._overrides: Final = {day.toordinal(): works for day, works in overrides.items()}
        self._known: Final[dict[int, bool]] = {}

    def is_workday(self, day: int) -> bool:
        """Whether the day ordinal is a working day."""
        known = self._known.get(day)
        if known is None:
            if len(self._known) > _DAYS_KEPT:
                self._known.clear()
            known = self._known[day] = self._works(day)
        return known

    def is_holiday(self, day: int) -> bool:
        """Whether the office is closed on the day ordinal."""
        return not self.is_workday(day)

    def _works(self, day: int) -> bool:
        if (override := self._overrides.get(day)) is not None:
            return override
        if (day - 1) % 7 >= 5:
            return False
        return day not in _public_holidays(date.fromordinal(day).year)


class Schedule:
    """Windows on days: the compiled form of the `hours` condition."""

    def __init__(self, windows: tuple[Window, ...], days: DayKind | tuple[Weekday, ...], calendar: Calendar) -> None:
        self._spans: Final = tuple((span.start, span.end, span.end - MINUTES_A_DAY) for span in windows)
        self._on: Final = _day_test(days, calendar)
        ends = {span.end % MINUTES_A_DAY for span in windows}
        self.edges: Final = frozenset({span.start for span in windows} | ends)
        """Minutes of the day at which the answer can change (a window decides for its own day until it ends)."""

    def covers(self, moment: datetime) -> bool:
        """Whether the moment lies in a window that began on one of the days."""
        day, minute = local(moment)
        for start, end, end_next_day in self._spans:
            if start <= minute < end and self._on(day):
                return True
            if minute < end_next_day and self._on(day - 1):
                return True
        return False


def _day_test(days: DayKind | tuple[Weekday, ...], calendar: Calendar) -> Callable[[int], bool]:
    match days:
        case DayKind.EVERY_DAY:
            return lambda _day: True
        case DayKind.WORKDAYS:
            return calendar.is_workday
        case DayKind.HOLIDAYS:
            return calendar.is_holiday
        case _:
            chosen = frozenset(WEEKDAYS.index(name) for name in days)
            return lambda day: (day - 1) % 7 in chosen
