"""The reference page names everything that the code has, and nothing else of its kinds."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from policy.guardrails import GUARDRAILS, REASONS
from policy.model import DeviceKind, QualityProfile, ReasonCode
from policy.schema import CalendarSection, Effect, Hours, Layer, Oblige, PolicyDocument, Rule, Section, Terms, When

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "policy.md").read_text("utf-8")
WORDS = set(re.findall(r"`([^`]+)`", PAGE))


@pytest.mark.parametrize("model", [PolicyDocument, Rule, When, Hours, Terms, Oblige, CalendarSection])
def test_every_key_is_documented(model: type[Section]) -> None:
    assert {field.alias or name for name, field in model.model_fields.items()} <= WORDS


@pytest.mark.parametrize("names", [Layer, Effect, DeviceKind, QualityProfile, ReasonCode, REASONS], ids=str)
def test_every_name_is_documented(names: Iterable[str]) -> None:
    assert set(map(str, names)) <= WORDS


def test_no_guardrail_is_documented_that_does_not_exist() -> None:
    assert {word for word in WORDS if re.fullmatch(r"GR-[A-Z-]+", word)} == {rule.id for rule in GUARDRAILS}


def test_no_condition_is_documented_that_does_not_exist() -> None:
    table = PAGE[PAGE.index("## Conditions") : PAGE.index("`hours`: `windows`")]
    named = {
        word
        for row in table.splitlines()
        if row.startswith("| `")
        for word in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == {field.alias or name for name, field in When.model_fields.items()}
