"""The SQLite file is locked by somebody else, or its disk is full: the desktop goes on, nothing new begins, and the
process lives; with the spool on the same full disk nothing can be recorded, and that is said."""

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.attacker import ticket, viewer
from tests.integration.gateway.test_database_outage import Office, audit_after, open_office
from tests.support.agent import needs_root
from tests.support.rfb_viewer import RfbViewer
from tests.support.slapd import Slapd


async def _works_on(office: Office, opened: RfbViewer, colour: str, word: str) -> None:
    await office.shows(opened, colour)
    await office.takes(opened, word)


async def test_a_file_that_somebody_else_locks(tmp_path: Path, directory: Slapd) -> None:
    file = tmp_path / "kakehashi.db"
    async with open_office(tmp_path / "gateway", directory, f"sqlite:///{file}") as office:
        session = await office.session()
        async with viewer(office.sato, session["id"], await ticket(office.sato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            await _works_on(office, opened, "#112233", "before")
            holder = sqlite3.connect(file, isolation_level=None)
            holder.execute("begin immediate")
            try:
                await opened.cut_text(b"recorded although refused")
                await _works_on(office, opened, "#336699", "during")
                await office.refused("POST", "/sessions", {"pool_id": "section"})
                await office.refused("POST", "/login", {"username": "suzuki", "password": "suzuki-pw-2026"})
                assert await office.health() == (
                    503,
                    {"database": False, "directory": True, "audit": True, "clock": True},
                )
                await office.until_spooled()
            finally:
                holder.close()
            await office.until_ready()
            await _works_on(office, opened, "#993366", "after")
        assert "block-clipboard" in await audit_after(office)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of three megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", folder], check=True, timeout=10)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True, timeout=10)


def _fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 4096)


@needs_root
@pytest.mark.parametrize("spool_on_it", [False, True], ids=["spool elsewhere", "spool on it"])
async def test_a_disk_that_is_full(tmp_path: Path, directory: Slapd, small_disk: Path, spool_on_it: bool) -> None:
    audit = {"spool_file": (small_disk if spool_on_it else tmp_path) / "spool.jsonl", "spool_mb": 8}
    url = f"sqlite:///{small_disk / 'kakehashi.db'}"
    async with open_office(tmp_path / "gateway", directory, url, audit=audit) as office:
        session = await office.session()
        async with viewer(office.sato, session["id"], await ticket(office.sato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            await _works_on(office, opened, "#112233", "before")
            _fill(small_disk)
            if not spool_on_it:  # where it could not be recorded it would end the viewer
                await opened.cut_text(b"recorded although refused")
            code = await _refused_for_want_of_space(office)
            await _works_on(office, opened, "#336699", "during")
            assert code in ("audit_unavailable", "store_unavailable")
            status, checks = await office.health()
            assert checks["audit"] is not spool_on_it, "whether something can be recorded is said"
            assert status == 503 or not spool_on_it
            if not spool_on_it:
                await office.until_spooled()
            (small_disk / "filler").unlink()
            await office.until_ready()
            await _works_on(office, opened, "#993366", "after")
            status, _ = await office.sato.call("POST", f"/sessions/{session['id']}/ticket")
            assert status == 200
        if not spool_on_it:
            assert "block-clipboard" in await audit_after(office)


async def _refused_for_want_of_space(office: Office) -> str:
    """Tickets until one is refused: SQLite finds room in the pages it has for a while."""
    session = await office.session()
    for _ in range(2_000):
        status, answer = await office.sato.call("POST", f"/sessions/{session['id']}/ticket")
        if status == 503:
            return str(answer["code"])
    pytest.fail("the full disk was not noticed")
