"""Which drills a fiscal year still owes: two a year, one in each half. Pure.

Counterpart: the console's calendar. A drill counts in the half in which it began; one that lapsed or was turned down
does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from common.clock import TOKYO
from common.era import FiscalYear, fiscal_year
from policy.bcp.model import Declaration

DUE_SOON: Final = timedelta(days=45)


class DrillState(StrEnum):
    """How a half of the year stands."""

    DONE = "done"
    OPEN = "open"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class HeldDrill:
    """A drill by the day in Tokyo on which it began."""

    day: date
    declaration_id: str


@dataclass(frozen=True, slots=True)
class Half:
    """Half a fiscal year and its drills, oldest first."""

    name_ja: str
    name_en: str
    first: date
    last: date
    drills: tuple[HeldDrill, ...]
    state: DrillState


@dataclass(frozen=True, slots=True)
class DrillYear:
    """A fiscal year's drills. `overdue`: something should have been done already."""

    year: FiscalYear
    halves: tuple[Half, Half]

    @property
    def overdue(self) -> bool:
        """Whether a half has passed without a drill."""
        return any(half.state is DrillState.OVERDUE for half in self.halves)


def drill_year(declarations: Iterable[Declaration], now: datetime, year: FiscalYear | None = None) -> DrillYear:
    """The drills of a fiscal year (the present one by default) as of now."""
    today = now.astimezone(TOKYO).date()
    year = year or fiscal_year(now)
    held = sorted(
        (
            HeldDrill(found.starts_at.astimezone(TOKYO).date(), found.id)
            for found in declarations
            if found.drill and found.starts_at is not None
        ),
        key=lambda drill: drill.day,
    )
    middle = date(year.year, 9, 30)
    return DrillYear(
        year,
        (
            _half("上半期（4月～9月）", "April to September", year.start, middle, held, today),
            _half("下半期（10月～3月）", "October to March", middle + timedelta(days=1), year.end, held, today),
        ),
    )


def _half(name_ja: str, name_en: str, first: date, last: date, held: Iterable[HeldDrill], today: date) -> Half:
    drills = tuple(drill for drill in held if first <= drill.day <= last)
    if drills:
        state = DrillState.DONE
    elif today > last:
        state = DrillState.OVERDUE
    elif today >= first and last - today < DUE_SOON:
        state = DrillState.DUE_SOON
    else:
        state = DrillState.OPEN
    return Half(name_ja, name_en, first, last, drills, state)
