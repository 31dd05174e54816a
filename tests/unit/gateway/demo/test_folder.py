"""The demo's folder: who owns what, what is kept, and when its path cannot work."""

import os
from pathlib import Path

import pytest

from gateway.demo import folder
from gateway.demo.children import Account
from gateway.demo.folder import DemoFolder


def test_a_fresh_start_empties_the_folder_but_keeps_it(tmp_path: Path) -> None:
    place = DemoFolder(tmp_path, None, None)
    folder.prepare(place, fresh=False)
    inode = tmp_path.stat().st_ino
    (place.gateway / "kakehashi.db").touch()
    folder.prepare(place, fresh=False)
    assert (place.gateway / "kakehashi.db").exists()
    folder.prepare(place, fresh=True)
    assert not (place.gateway / "kakehashi.db").exists()
    assert tmp_path.stat().st_ino == inode


def test_only_the_agents_folder_can_be_entered_by_others(tmp_path: Path) -> None:
    place = DemoFolder(tmp_path, None, None)
    folder.prepare(place, fresh=False)
    assert place.agent.stat().st_mode & 0o777 == 0o755
    for private in (place.pki, place.gateway, place.directory, place.logs):
        assert private.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_each_program_owns_its_own_part(tmp_path: Path) -> None:
    place = DemoFolder(tmp_path, Account(60_801), Account(60_802))
    folder.prepare(place, fresh=False)
    (place.gateway / "key").touch(mode=0o600)
    folder.hand_over(place)
    assert (place.gateway / "key").stat().st_uid == 60_801
    assert place.directory.stat().st_uid == 60_802
    assert place.pki.stat().st_uid == os.getuid()


def test_a_path_too_long_for_sockets_is_named_before_anything_starts(tmp_path: Path) -> None:
    assert folder.path_fault(Path("/srv/kakehashi/.demo")) is None
    fault = folder.path_fault(Path("/" + "long/" * 20))
    assert fault is not None
    assert "move the checkout" in fault


def test_a_folder_closed_to_others_is_noticed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0o700)
    assert not folder.readable_by_others(closed / "inner")
    assert folder.readable_by_others(Path("/usr/bin"))
