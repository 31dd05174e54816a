"""The command line of the benchmark: what it lists and refuses. Measuring itself is `make bench`."""

import sys
from functools import partial

import pytest

from bench import __main__ as bench


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    return bench.main()


def test_every_goal_is_in_the_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--list") == 0
    listed = capsys.readouterr().out
    for name in ("paced", "flat out, TLS", "echoes, 50", "beside 4", "SQLite", "PostgreSQL", "3,000 idle", "stalled",
                 "at once", "office", "picture", "decisions", "open pages"):  # fmt: skip
        assert name in listed


def test_only_takes_parts_of_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--list", "--only", "PICTURE") == 0
    assert "click to first picture" in capsys.readouterr().out.splitlines()


def test_tables_of_their_own_are_chosen_as_all_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--list", "--only", "open pages") == 0
    assert capsys.readouterr().out.splitlines() == ["open pages"]
    began: list[str] = []
    monkeypatch.setattr(bench, "OWN_TABLES", {name: partial(began.append, name) for name in bench.OWN_TABLES})
    assert run(monkeypatch, "--only", "open pages") == 0
    assert began == ["open pages"]


def test_an_unknown_name_is_said_and_nothing_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--only", "nonsense") == 2
    assert "--list" in capsys.readouterr().err
