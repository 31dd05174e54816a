"""User numbers: stable, durable, never another's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.uids import UidBook, UidsUsedUp
from common.errors import ConfigError
from common.ids import UserId
from tests.support.agent import needs_root

pytestmark = needs_root
ALICE, BOB, CAROL = UserId("usr_a"), UserId("usr_b"), UserId("usr_c")


def _book(folder: Path, *, count: int = 3) -> UidBook:
    (folder / "homes").mkdir(exist_ok=True)
    return UidBook(folder / "uids.json", folder / "homes", base=70_000, count=count)


def _home(folder: Path, user: str, uid: int) -> None:
    home = folder / "homes" / user
    home.mkdir(parents=True)
    os.chown(home, uid, uid)


def test_numbers_are_given_in_turn_and_kept(tmp_path: Path) -> None:
    book = _book(tmp_path)
    assert [book.number_of(user) for user in (ALICE, BOB, ALICE)] == [70_000, 70_001, 70_000]
    again = _book(tmp_path)
    assert [again.number_of(user) for user in (BOB, CAROL, ALICE)] == [70_001, 70_002, 70_000]
    assert (tmp_path / "uids.json").stat().st_mode & 0o777 == 0o600


def test_range_is_respected(tmp_path: Path) -> None:
    book = _book(tmp_path, count=2)
    book.number_of(ALICE)
    book.number_of(BOB)
    with pytest.raises(UidsUsedUp):
        book.number_of(CAROL)
    assert book.number_of(ALICE) == 70_000


def test_lost_book_gives_no_number_of_an_existing_home_away(tmp_path: Path) -> None:
    _home(tmp_path, "usr_b", 70_001)
    book = _book(tmp_path)
    assert book.number_of(ALICE) == 70_002
    assert book.number_of(BOB) == 70_001


def test_home_of_another_number_is_a_fault(tmp_path: Path) -> None:
    _book(tmp_path).number_of(ALICE)
    _home(tmp_path, "usr_a", 70_002)
    with pytest.raises(ConfigError, match="says otherwise"):
        _book(tmp_path)


def test_two_users_with_one_number_are_a_fault(tmp_path: Path) -> None:
    _book(tmp_path).number_of(ALICE)
    _home(tmp_path, "usr_b", 70_000)
    with pytest.raises(ConfigError):
        _book(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version":1,"next":70000,"users":{"../x":70000}}',
        '{"version":1,"next":"x","users":{}}',
        '{"version":2,"next":70000,"users":{}}',
        '{"version":1,"next":70002,"users":{"a":70000,"b":70000}}',
    ],
)
def test_damaged_book_is_a_fault_not_a_fresh_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "uids.json").write_text(text)
    with pytest.raises(ConfigError):
        _book(tmp_path)


def test_book_with_a_low_counter_does_not_give_a_number_twice(tmp_path: Path) -> None:
    (tmp_path / "uids.json").write_text('{"version":1,"next":70000,"users":{"usr_a":70000}}')
    assert _book(tmp_path).number_of(BOB) == 70_001


def test_half_written_book_is_ignored(tmp_path: Path) -> None:
    _book(tmp_path).number_of(ALICE)
    (tmp_path / "uids.json.new").write_text("{")
    assert _book(tmp_path).number_of(BOB) == 70_001
