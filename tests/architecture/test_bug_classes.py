"""The table of bug classes names tests that exist, and leaves no class without an answer."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "bug-classes.md"
CLASSES = 25


def _rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_class_has_a_row_with_tests_or_a_reason() -> None:
    rows = _rows()
    assert len({row[0] for row in rows}) == len(rows) == CLASSES
    for _name, _rule, answer in rows:
        assert answer.startswith(("`", "Not here: "))


def test_every_row_names_single_tests_and_not_whole_files() -> None:
    named = [one for _name, _rule, answer in _rows() for one in re.findall(r"`(tests/[^`]+)`", answer)]
    assert [one for one in named if "::" not in one] == []


def test_every_named_test_exists() -> None:
    missing = []
    for _name, _rule, answer in _rows():
        for named in re.findall(r"`([^`]+)`", answer):
            path, _, function = named.partition("::")
            file = ROOT / path
            if not file.is_file() or (function and f"def {function}(" not in file.read_text("utf-8")):
                missing.append(named)
    assert missing == []
