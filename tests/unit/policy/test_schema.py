"""Documents built in Python, as plans will be; files are tested in test_loading.py."""

from datetime import timedelta
from ipaddress import ip_network

import pytest

from policy.calendar import DayKind, Weekday, Window
from policy.schema import Bilingual, Hours, Network, When, duration_text
from policy.wording import describe, sentence


def test_values_need_no_text_form() -> None:
    hours = Hours(windows=(Window(510, 1035),), days=(Weekday.MON,))
    assert hours == Hours.model_validate({"windows": ["08:30-17:15"], "days": ["mon"]})
    assert Hours(days=DayKind.WORKDAYS).days is DayKind.WORKDAYS
    network = Network(name=Bilingual(ja="庁舎", en="Office"), cidrs=(ip_network("10.0.0.0/8"),))
    assert str(network.cidrs[0]) == "10.0.0.0/8"


def test_conditions_survive_a_round_trip() -> None:
    when = When.model_validate(
        {"not": {"groups": ["a"]}, "dates": {"from": "2026-04-01"}, "totp_age": {"at_most": "5m"}}
    )
    assert When.model_validate(when.model_dump(by_alias=True)) == when
    assert hash(when) == hash(When.model_validate(when.model_dump(by_alias=True)))


def test_names_are_compared_in_one_unicode_form() -> None:
    decomposed = "\u30bf\u3099ム課"
    assert When(departments=(decomposed,)).departments == ("ダム課",)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=90), "90d"),
        (timedelta(hours=12), "12h"),
        (timedelta(minutes=15), "15m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(), "0s"),
    ],
)
def test_durations_are_told_as_they_are_written(length: timedelta, text: str) -> None:
    assert duration_text(length) == text


def test_every_kind_of_condition_has_words() -> None:
    with pytest.raises(TypeError):
        describe("groups", 3)
    assert sentence(When()) == ("条件なし（常に）", "always")
    assert describe("days_a_week", 4) == ("今日を含めて週4日まで", "at most 4 days this week, today included")
    assert describe("days_a_week", 1)[1] == "at most 1 day this week, today included"
    ja, en = sentence(When.model_validate({"groups": ["a", "b"], "not": {"suspended": True}}))
    assert ja == "グループが a・b、かつ（利用停止中である）でない"
    assert en == "group is a or b and not (is suspended)"
