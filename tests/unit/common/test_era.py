"""Dates of offices: eras with their first year, fiscal years, lengths."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.era import (
    FiscalYear,
    date_ja,
    era_year,
    fiscal_year,
    length_en,
    length_ja,
    moment_en,
    moment_ja,
    short,
)


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2026, 11, 22), "令和8年"),
        (date(2020, 1, 1), "令和2年"),
        (date(2019, 5, 1), "令和元年"),
        (date(2019, 4, 30), "平成31年"),
        (date(1989, 1, 8), "平成元年"),
        (date(1989, 1, 7), "昭和64年"),
        (date(1926, 12, 25), "昭和元年"),
        (date(1926, 12, 24), "大正15年"),
        (date(1912, 7, 30), "大正元年"),
        (date(1912, 7, 29), "明治45年"),
        (date(1873, 1, 1), "明治6年"),
        (date(1872, 12, 31), "1872年"),
    ],
)
def test_the_year_is_named_after_the_era_of_the_day(day: date, shown: str) -> None:
    assert era_year(day) == shown


def test_dates_and_moments_are_shown_in_tokyo_with_both_years() -> None:
    moment = datetime(2026, 3, 31, 15, 5, tzinfo=UTC)
    assert moment_ja(moment) == "令和8年4月1日（2026年）0時05分"
    assert moment_ja(moment, weekday=True) == "令和8年4月1日（2026年・水）0時05分"
    assert moment_en(moment) == "1 Apr 2026 (Wed) 0:05 JST"
    assert short(moment) == "2026/04/01 00:05:00"
    assert date_ja(date(1870, 2, 3)) == "1870年2月3日"
    assert date_ja(date(1870, 2, 3), weekday=True) == "1870年2月3日（木）"


@pytest.mark.parametrize(
    ("length", "ja", "en"),
    [
        (timedelta(hours=72), "3日", "3 d"),
        (timedelta(hours=76, minutes=59), "3日4時間", "3 d 4 h"),
        (timedelta(hours=2, minutes=5, seconds=59), "2時間5分", "2 h 5 min"),
        (timedelta(seconds=45), "45秒", "45 s"),
        (timedelta(), "0秒", "0 s"),
        (-timedelta(hours=1), "0秒", "0 s"),
        (timedelta(hours=1, seconds=5), "1時間", "1 h"),
    ],
)
def test_lengths_are_cut_and_never_rounded_up(length: timedelta, ja: str, en: str) -> None:
    assert (length_ja(length), length_en(length)) == (ja, en)


@pytest.mark.parametrize(
    ("year", "name"),
    [
        (2026, "令和8年度（2026年度）"),
        (2019, "令和元年度（2019年度）"),
        (2018, "平成30年度（2018年度）"),
        (1989, "平成元年度（1989年度）"),
        (1988, "昭和63年度（1988年度）"),
    ],
)
def test_fiscal_years_are_named_as_the_state_named_them(year: int, name: str) -> None:
    assert FiscalYear(year).name_ja == name
    assert FiscalYear(year).name_en == f"FY{year}"


def test_a_fiscal_year_begins_at_midnight_in_tokyo() -> None:
    assert fiscal_year(datetime(2026, 3, 31, 14, 59, tzinfo=UTC)) == FiscalYear(2025)
    assert fiscal_year(datetime(2026, 3, 31, 15, 0, tzinfo=UTC)) == FiscalYear(2026)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_every_day_is_in_its_fiscal_year(day: date) -> None:
    year = fiscal_year(day)
    assert year.start <= day <= year.end
    assert fiscal_year(year.end + timedelta(days=1)) == FiscalYear(year.year + 1)
