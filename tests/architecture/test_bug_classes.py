"""The table of bug classes names tests that exist, and leaves no class without an answer."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "bug-classes.md"
CLASSES = 25
TEST = re.compile(r"`([^`\s]+?\.(?:py|tsx?))(?:::([^`]+))?`")
"""`path::function`, or `path::"title"` of a test of the web client."""


def _rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_class_has_a_row_with_tests_or_a_reason() -> None:
    rows = _rows()
    assert len({row[0] for row in rows}) == len(rows) == CLASSES
    for _name, _rule, answer in rows:
        assert answer.startswith(("`", "Not here: "))


def _named() -> list[tuple[str, str]]:
    return [found for _name, _rule, answer in _rows() for found in TEST.findall(answer)]


def _declares(file: Path, name: str) -> bool:
    if not file.is_file():
        return False
    text = file.read_text("utf-8")
    if file.suffix == ".py":
        return re.search(rf"^(?:async )?def {re.escape(name)}\(", text, re.MULTILINE) is not None
    return name[:1] == name[-1:] == '"' and any(f"{call}({name}," in text for call in ("it", "test"))


def test_every_row_names_single_tests_and_not_whole_files() -> None:
    assert [path for path, name in _named() if not name] == []


def test_every_named_test_exists() -> None:
    assert len(_named()) > CLASSES
    assert [(path, name) for path, name in _named() if not _declares(ROOT / path, name)] == []


def test_nothing_but_tests_is_named() -> None:
    """What the pattern above does not know would be looked at by nobody."""
    paths = [one for _name, _rule, answer in _rows() for one in re.findall(r"`([^`]*/[^`]*)`", answer)]
    assert [one for one in paths if not TEST.fullmatch(f"`{one}`")] == []
