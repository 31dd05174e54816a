"""Home folders: made once, private, never another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.homes import HomeConflict, prepare
from common.ids import UserId
from tests.support.agent import needs_root

pytestmark = needs_root
USER = UserId("usr_a")


def test_home_is_made_private_and_found_again(tmp_path: Path) -> None:
    home = prepare(tmp_path, USER, 70_000)
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (70_000, 0o700)
    (home / "note").write_text("x")
    home.chmod(0o755)
    assert prepare(tmp_path, USER, 70_000) == home
    assert home.stat().st_mode & 0o777 == 0o700


def test_half_made_home_is_finished(tmp_path: Path) -> None:
    (tmp_path / USER).mkdir()
    assert prepare(tmp_path, USER, 70_000).stat().st_uid == 70_000


def test_another_users_home_is_left_alone(tmp_path: Path) -> None:
    prepare(tmp_path, USER, 70_000)
    with pytest.raises(HomeConflict):
        prepare(tmp_path, USER, 70_001)
    (tmp_path / "usr_root").mkdir()
    (tmp_path / "usr_root" / "file").touch()
    with pytest.raises(HomeConflict):
        prepare(tmp_path, UserId("usr_root"), 70_001)


def test_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / USER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        prepare(tmp_path, USER, 70_000)
    assert (tmp_path / "elsewhere").stat().st_uid == 0
