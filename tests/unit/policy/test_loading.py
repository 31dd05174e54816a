"""Faulty files: every fault at once, in both languages, with rule, place and line."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.loading import MAX_CHARS, line_of, parse, path
from policy.problems import PolicyInvalid, Problem, Severity
from tests.support.policy import policy

GOOD = """\
format: 1
name: {ja: 試験, en: Test}
networks:
  office:
    name: {ja: 庁舎, en: Office}
    cidrs: ["10.0.0.0/8"]
rules:
  - id: N-01
    effect: permit
    name: {ja: 規則, en: Rule}
    when:
      groups: [telework]
      hours: {windows: ["08:30-17:15"], days: workdays}
      not: {sites: [east]}
    terms: {idle_limit: 20m}
"""


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(PolicyInvalid) as caught:
        parse(text)
    assert caught.value.problems
    for problem in caught.value.problems:
        assert problem.severity is Severity.ERROR
        assert problem.text_ja
        assert problem.text_en
        assert problem.path in caught.value.detail
    return caught.value.problems


def only(text: str | bytes) -> Problem:
    (problem,) = problems(text)
    return problem


def test_a_good_file_keeps_the_line_of_every_place() -> None:
    document, lines = parse(GOOD)
    assert document.rules[0].when.groups == ("telework",)
    assert line_of(("rules", 0, "when", "hours", "days"), lines) == 13
    assert line_of(("rules", 0, "when", "groups", 7, "x"), lines) == 12
    assert line_of((), lines) == 1
    assert path(("rules", 0, "when", "hours")) == "rules[0].when.hours"
    assert path(()) == "(file)"


def test_windows_notepads_byte_order_mark_is_no_fault() -> None:
    assert parse(GOOD.encode("utf-8-sig"))[0].name.ja == "試験"


@pytest.mark.parametrize(
    ("wrong", "right", "place", "line", "ja", "en"),
    [
        ("groupz: [telework]", "groups: [telework]", "rules[0].when.groupz", 12, "「groups」", "Did you mean 'groups'"),
        ("qqqq: 1", "groups: [telework]", "rules[0].when.qqqq", 12, "使える項目", "Known here: groups, "),
        ("effect: permti", "effect: permit", "rules[0].effect", 9, "「permit」", "Did you mean 'permit'"),
        ("effect: 7", "effect: permit", "rules[0].effect", 9, "'permit'", "'permit'"),
        ("groups: [0123]", "groups: [telework]", "rules[0].when.groups[0]", 12, "引用符", "in quotes"),
        ("groups: []", "groups: [telework]", "rules[0].when.groups", 12, "一つ以上", "at least one"),
        ("groups: telework", "groups: [telework]", "rules[0].when.groups", 12, "一覧", "a list"),
        ('groups: [" a"]', "groups: [telework]", "rules[0].when.groups[0]", 12, "空白", "spaces"),
        ("sitez: [east]", "sites: [east]", "rules[0].when.not.sitez", 14, "「sites」", "'sites'"),
        ("08:30 to 17:15", "08:30-17:15", "rules[0].when.hours.windows[0]", 13, "時間帯", "window"),
        ("days: workday", "days: workdays", "rules[0].when.hours.days", 13, "workdays（開庁日）", "workdays"),
        ("days: [mon, funday]", "days: workdays", "rules[0].when.hours.days", 13, "[mon, tue", "[mon, tue"),
        ("days: []", "days: workdays", "rules[0].when.hours.days", 13, "[mon, tue", "[mon, tue"),
        ("idle_limit: 45m", "idle_limit: 20m", "rules[0].terms.idle_limit", 15, "30m 以下", "at most 30m"),
        ("idle_limit: 0s", "idle_limit: 20m", "rules[0].terms.idle_limit", 15, "1s 以上", "at least 1s"),
        ("idle_limit: 20", "idle_limit: 20m", "rules[0].terms.idle_limit", 15, "単位", "unit"),
        ("total_limit: 13h", "idle_limit: 20m", "rules[0].terms.total_limit", 15, "12h 以下", "at most 12h"),
        ("view_only: yess", "idle_limit: 20m", "rules[0].terms.view_only", 15, "true か false", "true or false"),
        ("clipboard_in_chars: 1.5", "idle_limit: 20m", "rules[0].terms.clipboard_in_chars", 15, "整数", "whole"),
        ("clipboard_in_chars: -1", "idle_limit: 20m", "rules[0].terms.clipboard_in_chars", 15, "0 以上", "at least 0"),
        ("watermark: false", "idle_limit: 20m", "rules[0].terms.watermark", 15, "という項目はありません", "No key"),
        ("id: n-1", "id: N-01", "rules[0].id", 8, "N-01", "N-01"),
        ("name: {ja: 規則}", "name: {ja: 規則, en: Rule}", "rules[0].name.en", 10, "必須", "required"),
        ("name: {ja: '', en: Rule}", "name: {ja: 規則, en: Rule}", "rules[0].name.ja", 10, "文字", "characters"),
        ("name: 規則", "name: {ja: 規則, en: Rule}", "rules[0].name", 10, "「項目: 値」", "mapping"),
        ('cidrs: ["10.0.0.1/8"]', 'cidrs: ["10.0.0.0/8"]', "networks.office.cidrs[0]", 6, "ホスト部", "host bits"),
        ("cidrs: [10]", 'cidrs: ["10.0.0.0/8"]', "networks.office.cidrs[0]", 6, "ネットワーク", "network"),
        ("format: 2", "format: 1", "format", 1, "使える値は 1", "Use 1"),
        (
            "networks: []",
            'networks:\n  office:\n    name: {ja: 庁舎, en: Office}\n    cidrs: ["10.0.0.0/8"]',
            "networks",
            3,
            "「名前: 値」",
            "mapping of names",
        ),
        ("dates: {}", "groups: [telework]", "rules[0].when.dates", 12, "from か until", "from or until"),
        ("dates: {from: 20260401}", "groups: [telework]", "rules[0].when.dates.from", 12, "2026-04-01", "2026-04-01"),
        ("dates: {from: '2026-4-1'}", "groups: [telework]", "rules[0].when.dates.from", 12, "2026-04-01", "2026-04-01"),
        (
            "dates: {from: 2026-04-02, until: 2026-04-01}",
            "groups: [telework]",
            "rules[0].when.dates",
            12,
            "前",
            "before",
        ),
        ("totp_age: {}", "groups: [telework]", "rules[0].when.totp_age", 12, "どちらか", "exactly one"),
        (
            "totp_age: {at_most: 1h, over: 1h}",
            "groups: [telework]",
            "rules[0].when.totp_age",
            12,
            "どちらか",
            "exactly",
        ),
        ("user_sessions: {}", "groups: [telework]", "rules[0].when.user_sessions", 12, "どちらか", "exactly one"),
    ],
)
def test_each_fault_names_place_line_and_remedy(
    wrong: str, right: str, place: str, line: int, ja: str, en: str
) -> None:
    assert GOOD.count(right) == 1
    problem = only(GOOD.replace(right, wrong))
    assert (problem.path, problem.line) == (place, line)
    assert ja in problem.text_ja
    assert en in problem.text_en
    assert problem.rule_id == (None if not place.startswith("rules") else "n-1" if "n-1" in wrong else "N-01")


def test_calendar_day_cannot_be_both() -> None:
    text = GOOD + "calendar: {workdays: [2026-06-06], holidays: [2026-06-06]}\n"
    assert "2026-06-06" in only(text).text_ja


def test_all_faults_come_at_once() -> None:
    text = GOOD.replace("groups:", "groupz:").replace("effect: permit", "effect: x").replace("20m", "31m")
    assert len(problems(text)) == 3


def test_a_rule_without_id_is_named_by_its_place() -> None:
    assert only(GOOD.replace("  - id: N-01\n    effect", "  - effect")).rule_id == "#1"
    assert only(GOOD[: GOOD.index("  - id")] + "  - 5\n").rule_id == "#1"


@pytest.mark.parametrize(
    ("text", "ja"),
    [
        ("", "空"),
        ("# nothing\n", "空"),
        ("- 1", "「項目: 値」"),
        ("a: [1", "YAML"),
        ("a: &x 1\nb: *x", "YAML"),
        ("a: &x 1", "YAML"),
        ("!!python/object:os.system x", "YAML"),
        ("? [a]\n: b", "YAML"),
        ("a: 2026-99-99", "YAML"),
        ("[" * 5000, "YAML"),
        ("a: {" * 30 + "}" * 30, "入れ子"),
        ("a: 1\nb: 2\na: 3", "二度"),
        ("a: \x00", "YAML"),
        ("x" * (MAX_CHARS + 1), "大きすぎ"),
        ("利用".encode("shift_jis"), "Shift_JIS"),
        ("1: 2", ""),
    ],
)
def test_files_that_are_no_policy(text: str | bytes, ja: str) -> None:
    assert any(ja in problem.text_ja for problem in problems(text))


def test_doubled_key_inside_a_rule_names_the_second_line() -> None:
    problem = only(GOOD.replace("      not:", "      groups: [x]\n      not:"))
    assert (problem.path, problem.line) == ("rules[0].when.groups", 14)


def test_too_many_rules() -> None:
    text = yaml.safe_dump(policy([{"id": f"N-{i}", "when": {"groups": ["x"]}} for i in range(501)]), allow_unicode=True)
    assert "500" in only(text).text_ja


def test_an_unforeseen_kind_of_fault_still_reads() -> None:
    problem = only(GOOD.replace("office:", "7:"))
    assert problem.text_ja
    assert problem.path.startswith("networks")


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
_trees: st.SearchStrategy[Any] = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.binary(max_size=200) | _trees.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True)))
def test_any_input_is_a_policy_or_a_list_of_problems(text: str | bytes) -> None:
    problems(text)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 12), st.text(max_size=4))
def test_a_damaged_file_is_a_policy_or_a_list_of_problems(start: int, length: int, junk: str) -> None:
    with suppress(PolicyInvalid):
        parse(GOOD[:start] + junk + GOOD[start + length :])
