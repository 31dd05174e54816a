"""What `kakehashi policy check` and `policy explain` print."""

import unicodedata
from datetime import date
from pathlib import Path

import pytest

from policy.engine import Engine
from policy.guardrails import GUARDRAILS
from policy.model import Obligations
from policy.report import Language, _terms, check_report, explain_report, rules_table
from tests.support.policy import NOON, engine, file_engine, request

DEPLOY = Path(__file__).parents[3] / "deploy"
TODAY = date(2026, 6, 3)
LANGUAGES: tuple[Language, ...] = ("ja", "en")
FILES = ("policy.sample.yaml", "policy.demo.yaml")


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FILES)
def test_shipped_policies_are_free_of_errors_and_warnings(name: str, language: Language) -> None:
    report = check_report((DEPLOY / name).read_bytes(), name=name, today=TODAY, language=language)
    assert report.ok
    first = report.text.splitlines()[0]
    assert first.startswith("使用できます" if language == "ja" else "Can be used")
    for rule in (*file_engine(name).document.rules, *GUARDRAILS):
        assert rule.id in report.text


def test_errors_name_file_line_and_rule() -> None:
    content = (DEPLOY / "policy.sample.yaml").read_text("utf-8").replace("groups: [trainee, auditor]", "groups: []")
    report = check_report(content, name="city.yaml", today=TODAY)
    assert not report.ok
    line = next(n for n, text in enumerate(content.splitlines(), 1) if "groups: []" in text)
    assert report.text == f"city.yaml:{line}: 誤り: [N-07] rules[6].when.groups: 一つ以上書いてください。\n"
    english = check_report(content, name="city.yaml", today=TODAY, language="en")
    assert english.text.endswith(": error: [N-07] rules[6].when.groups: Give at least one.\n")


def test_a_well_formed_policy_with_an_error_is_not_usable() -> None:
    content = (
        (DEPLOY / "policy.sample.yaml").read_text("utf-8").replace("networks: [satellite]", "networks: [satelite]")
    )
    report = check_report(content, name="city.yaml", today=TODAY)
    assert not report.ok
    assert "「satellite」ではありませんか" in report.text
    assert "使用できます" not in report.text


def test_warnings_do_not_stop_and_come_first() -> None:
    content = (DEPLOY / "policy.sample.yaml").read_text("utf-8")
    report = check_report(content, name="city.yaml", today=date(2027, 4, 1), language="en")
    assert report.ok
    assert report.text.startswith("city.yaml:")
    assert "warning: [N-08] rules[7].when.dates: This period is over." in report.text


def test_explaining_an_allowed_request() -> None:
    report = explain_report(file_engine("policy.sample.yaml"), request(), "en")
    assert report.ok
    assert "sato → office-desktop: allowed" in report.text
    assert "Terms: full control, paste in 0 chars, copy out 0 chars, watermark on, idle 10m, total 8h" in report.text
    assert "Decided by: GR-CLIPBOARD-OUT, GR-LIMITS, N-01, N-10" in report.text
    assert "Judged at: 2026-06-03 12:00 (JST)" in report.text


def test_explaining_a_refusal_shows_every_rule_with_what_it_lacks() -> None:
    city = file_engine("policy.sample.yaml")
    report = explain_report(city, request(now=NOON.replace(hour=14), source=None))
    assert not report.ok
    lines = report.text.splitlines()
    assert lines[0] == "sato → office-desktop: 利用できない"
    assert "次に利用できる日時: 2026-06-04（木）07:30" in lines
    row = next(line for line in lines if line.startswith("N-02"))
    assert "接続元ネットワークが satellite" in row
    assert "? 接続元" in row
    assert {rule.rule.id for rule in city.rules} <= {line.split()[0] for line in lines if line}


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_line_up_with_double_width_characters(language: Language) -> None:
    lines = rules_table(file_engine("policy.demo.yaml").document, language).splitlines()
    head = lines[0]
    last = "条件" if language == "ja" else "when"
    edge = width(head[: head.rindex(last)])
    for line in lines[2:]:
        cut = next(i for i in range(len(line) + 1) if width(line[:i]) >= edge)
        assert width(line[:cut]) == edge
        assert line[:cut].endswith("  ")
        assert not line[cut:].startswith(" ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_view_only_terms_are_told(language: Language) -> None:
    rules = engine([{"id": "N-01", "when": {"users": ["sato"]}, "oblige": {"view_only": True}}])
    text = explain_report(rules, request(), language).text
    assert ("閲覧のみ" if language == "ja" else "look only") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_watermark_would_be_told(language: Language) -> None:
    text = _terms(Obligations(watermark=False), language)
    assert ("透かしなし" if language == "ja" else "watermark off") in text


def test_a_broken_request_is_explained_as_such() -> None:
    rules: Engine = engine([{"id": "N-01", "when": {"groups": ["x"]}}])
    report = explain_report(rules, request(groups=None), "en")
    assert not report.ok
    assert "[policy_error]" in report.text
