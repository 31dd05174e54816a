"""Midnight, 24:00, leap days, holidays, year-end: the edges on which access systems fail (peers' `policy_edge`)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.calendar import Calendar, DayKind, Schedule, Weekday, Window, at, local, stretch, window

TOKYO = ZoneInfo("Asia/Tokyo")
PLAIN = Calendar({})


def tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO).astimezone(UTC)


def covers(windows: list[str], moment: str, days: DayKind | tuple[Weekday, ...] = DayKind.EVERY_DAY) -> bool:
    return Schedule(tuple(map(window, windows)), days, PLAIN).covers(tokyo(moment))


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("08:30-17:15", 510, 1035, "08:30-17:15"),
        ("8:30-17:15", 510, 1035, "08:30-17:15"),
        ("22:00-06:00", 1320, 1800, "22:00-06:00"),
        ("17:00-24:00", 1020, 1440, "17:00-24:00"),
        ("17:00-00:00", 1020, 1440, "17:00-24:00"),
        ("00:00-24:00", 0, 1440, "00:00-24:00"),
        ("23:59-00:01", 1439, 1441, "23:59-00:01"),
    ],
)
def test_windows_parse(text: str, start: int, end: int, shown: str) -> None:
    assert window(text) == Window(start, end)
    assert str(window(text)) == shown
    assert window(shown) == window(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "08:30", "08:30-", "8.30-17.15", "08:30-08:30", "24:00-08:00", "08:60-09:00", "25:00-26:00"),
        *("08:3-09:00", "08:30-17:15-18:00", "-1:00-02:00", "８:30-17:15", "aa:bb-cc:dd", "00:00-24:01", "²2:00-23:00"),
    ],
)
def test_bad_windows_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        window(text)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-06-03T08:29:59.999999", False),
        ("2026-06-03T08:30", True),
        ("2026-06-03T17:14:59", True),
        ("2026-06-03T17:15", False),
    ],
)
def test_a_window_is_half_open(moment: str, inside: bool) -> None:
    assert covers(["08:30-17:15"], moment) is inside


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-06-05T22:00", True),  # Friday night
        ("2026-06-06T02:00", True),  # Saturday morning is Friday's shift
        ("2026-06-06T06:00", False),
        ("2026-06-06T22:30", False),  # Saturday night is nobody's
        ("2026-06-08T02:00", False),  # Monday morning would be Sunday's shift
        ("2026-06-08T23:00", True),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(moment: str, inside: bool) -> None:
    assert covers(["22:00-06:00"], moment, DayKind.WORKDAYS) is inside


def test_24_00_is_the_end_of_the_day_and_not_the_next_one() -> None:
    assert covers(["17:00-24:00"], "2026-06-05T23:59:59", DayKind.WORKDAYS)
    assert not covers(["17:00-24:00"], "2026-06-06T00:00", DayKind.WORKDAYS)
    assert covers(["00:00-24:00"], "2026-06-05T00:00", DayKind.WORKDAYS)


def test_the_day_is_tokyos_and_not_utcs() -> None:
    monday_morning = datetime(2026, 6, 7, 23, 30, tzinfo=UTC)  # Sunday in UTC, Monday 08:30 in Tokyo
    assert Schedule((window("08:30-17:15"),), (Weekday.MON,), PLAIN).covers(monday_morning)
    assert local(monday_morning) == (date(2026, 6, 8).toordinal(), 510)


def test_leap_day_is_a_day_like_others() -> None:
    assert covers(["08:30-17:15"], "2028-02-29T09:00", DayKind.WORKDAYS)
    assert covers(["22:00-06:00"], "2028-03-01T05:59", DayKind.WORKDAYS)  # began on the leap day
    assert local(tokyo("2028-02-29T23:59"))[0] + 1 == local(tokyo("2028-03-01T00:00"))[0]


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-06-03", True),
        ("2026-06-06", False),  # Saturday
        ("2026-06-07", False),  # Sunday
        ("2026-05-06", False),  # substitute holiday
        ("2026-09-22", False),  # a day between two holidays
        ("2026-12-28", True),
        ("2026-12-29", False),  # year-end closure
        ("2026-12-31", False),
        ("2027-01-03", False),
        ("2027-01-04", True),
        ("2028-02-29", True),
        ("2026-02-23", False),  # the Emperor's birthday
    ],
)
def test_workdays_follow_law_and_ordinance(day: str, works: bool) -> None:
    ordinal = date.fromisoformat(day).toordinal()
    assert PLAIN.is_workday(ordinal) is works
    assert PLAIN.is_holiday(ordinal) is not works


def test_the_citys_own_exceptions_win() -> None:
    calendar = Calendar({date(2027, 3, 28): True, date(2026, 12, 29): True, date(2026, 11, 2): False})
    assert calendar.is_workday(date(2027, 3, 28).toordinal())  # a Sunday
    assert calendar.is_workday(date(2026, 12, 29).toordinal())
    assert not calendar.is_workday(date(2026, 11, 2).toordinal())


def test_holidays_kind_is_the_rest() -> None:
    assert covers(["10:00-11:00"], "2026-05-05T10:30", DayKind.HOLIDAYS)
    assert not covers(["10:00-11:00"], "2026-05-07T10:30", DayKind.HOLIDAYS)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(TypeError):
        local(datetime(2026, 6, 3, 12, 0))  # noqa: DTZ001 - the point of the test


def test_the_calendar_forgets_rather_than_grows() -> None:
    calendar = Calendar({})
    first = date(2026, 1, 1).toordinal()
    answers = [calendar.is_workday(first + offset) for offset in range(2500)]
    assert [calendar.is_workday(first + offset) for offset in range(2500)] == answers


@given(st.datetimes(datetime(1952, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_fixed_offset_agrees_with_the_zone_database(moment: datetime) -> None:
    there = moment.astimezone(TOKYO)
    day, minute = local(moment)
    assert (day, minute) == (there.toordinal(), there.hour * 60 + there.minute)
    assert timedelta() <= moment - at(day, minute) < timedelta(minutes=1)


def test_a_stretch_reaches_from_edge_to_edge_within_tokyos_day() -> None:
    edges = (450, 1035)
    for moment, since, until in (
        ("2026-06-03T07:30", "2026-06-03T07:30", "2026-06-03T17:15"),
        ("2026-06-03T17:14:59.999999", "2026-06-03T07:30", "2026-06-03T17:15"),
        ("2026-06-03T17:15", "2026-06-03T17:15", "2026-06-04T00:00"),
        ("2026-06-03T23:59:59", "2026-06-03T17:15", "2026-06-04T00:00"),
        ("2026-06-04T00:00", "2026-06-04T00:00", "2026-06-04T07:30"),
    ):
        assert stretch(tokyo(moment), edges) == (tokyo(since), tokyo(until))
    assert stretch(tokyo("2026-06-03T12:00"), ()) == (tokyo("2026-06-03T00:00"), tokyo("2026-06-04T00:00"))


def test_edges_are_the_ends_of_the_windows() -> None:
    schedule = Schedule((window("08:30-24:00"), window("22:00-06:00")), DayKind.EVERY_DAY, PLAIN)
    assert schedule.edges == {510, 0, 1320, 360}
