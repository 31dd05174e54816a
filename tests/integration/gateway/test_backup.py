"""A backup of a running gateway, and a new gateway made of it: on both databases, and what is refused."""

import asyncio
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
from sqlalchemy.engine import make_url

from common import db_copy
from common.audit_store import read, verify
from common.clock import SystemClock
from common.db import Database
from common.secret import Secret
from gateway.settings import Settings
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.postgres import Postgres
from tests.support.slapd import Slapd

_POOL = {"name_ja": "係の端末", "name_en": "Section PC", "kind": "static", "zone": "lgwan", "max_desktops": 5}


def _toml(value: Any) -> str:
    """A value of settings as an administrator would write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items() if item is not None) + "}"
    if isinstance(value, tuple | list | frozenset):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, Secret):
        return _toml(value.reveal())
    return json.dumps(value if isinstance(value, bool | int | float) else str(value))


def _settings_file(own: Settings, place: Path) -> Path:
    values = own.model_dump(mode="python")
    place.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in values.items()), "utf-8")
    return place


async def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway.cli", *map(str, arguments)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return await asyncio.to_thread(run)


def _lose(url: str, postgres: Postgres) -> None:
    """The machine burns down: no database any more, or a new and empty one."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        for file in Path(str(place.database)).parent.glob("kakehashi.db*"):
            file.unlink()
        return
    postgres.sql(f"drop database {place.database} with (force)")
    postgres.sql(f"create database {place.database}")


def _take_settings(archive: Path, config: Path) -> None:
    with tarfile.open(archive) as packed:
        found = packed.extractfile("settings.toml")
        assert found
        config.write_bytes(found.read())


def _links_in_the_way(tmp_path: Path, folder: Path) -> Path:
    """Somebody who may write in the gateway's folder hopes that root writes, or gives away, what links lead to."""
    victim = tmp_path / "victim"
    victim.touch(0o644)
    (folder / "keys.json").symlink_to(tmp_path / "elsewhere")
    (folder / "audit.pem.restoring").symlink_to(victim)
    return victim


def test_an_sqlite_file_is_given_away_before_it_has_its_name(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        copy.execute("create table something (id integer)")
    (tmp_path / "victim").touch()
    (tmp_path / "kakehashi.db").symlink_to(tmp_path / "victim")
    (tmp_path / "kakehashi.db.restoring").symlink_to(tmp_path / "victim")
    given: list[int] = []

    def give(file: int) -> None:
        assert (tmp_path / "kakehashi.db").is_symlink(), "the name is not there yet"
        given.append(os.fstat(file).st_ino)

    db_copy.load(f"sqlite:///{tmp_path / 'kakehashi.db'}", tmp_path / "copy", give)
    assert [(tmp_path / "kakehashi.db").lstat().st_ino] == given
    assert (tmp_path / "victim").read_bytes() == b""


async def test_a_new_machine_goes_on_where_the_backup_was_made(
    tmp_path: Path, directory: Slapd, database_url: str, postgres: Postgres
) -> None:
    folder = tmp_path / "gateway"
    own = settings(folder, directory, database_url)
    config = _settings_file(own, folder / "gateway.toml")
    archive = tmp_path / "copy.tar.gz"
    async with run_gateway(own) as running, Person(running.url, "sato", "sato-pw-2026") as sato:
        await sato.log_in()
        assert (await running.admin("PUT", "/pools/section", _POOL))[0] == 200
        made = await _command("backup", archive, "--config", config)
        assert made.returncode == 0, made.stderr
        refused = await _command("restore", archive, "--config", config)
        assert "the gateway is running" in refused.stderr
        assert await _pools(running) == ["section"]
        secret = sato.secret
    assert archive.stat().st_mode & 0o777 == 0o600
    assert "pg-test" not in made.stdout

    web = folder.rename(tmp_path / "burnt") / "web"
    _lose(database_url, postgres)
    refused = await _command("restore", archive, "--config", config)
    assert refused.returncode == 1
    assert "settings.toml > " in refused.stderr, "the copy does not say where its files go"
    assert not folder.exists()
    folder.mkdir()
    _take_settings(archive, config)
    victim = _links_in_the_way(tmp_path, folder)
    restored = await _command("restore", archive, "--config", config)
    assert restored.returncode == 0, restored.stderr
    assert (victim.read_bytes(), victim.stat().st_mode & 0o777) == (b"", 0o644), "links are not followed"
    assert not (tmp_path / "elsewhere").exists()
    assert not [name for name in folder.iterdir() if name.is_symlink()]
    assert "restored what test had" in restored.stdout
    web.rename(folder / "web")  # comes with the program, not with a backup

    for name in ("keys.json", "audit.pem", "tls.key", "tls.pem", "policy.yaml", "gateway.toml"):
        assert (folder / name).read_bytes() == (tmp_path / "burnt" / name).read_bytes(), name
    assert (folder / "keys.json").stat().st_mode & 0o777 == 0o600
    async with run_gateway(own) as running, Person(running.url, "sato", "sato-pw-2026") as sato:
        assert await _pools(running) == ["section"]
        await sato.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"})
        assert secret
        fresh = pyotp.TOTP(secret).at(SystemClock().now() + timedelta(seconds=30))  # the one of now was used
        _, state = await sato.call("POST", "/login/totp", {"code": fresh})
        assert state["step"] == "done", state
    opened = Database(database_url)
    try:
        assert (await verify(opened, "test")).fault is None
        assert len([event async for event in read(opened, "test")]) > 5
    finally:
        await opened.close()


async def _pools(running: Running) -> list[str]:
    _, answer = await running.admin("GET", "/pools")
    return [pool["id"] for pool in answer["items"]]


async def test_what_is_there_and_differs_is_named_and_nothing_is_changed(tmp_path: Path, directory: Slapd) -> None:
    folder = tmp_path / "gateway"
    own = settings(folder, directory, f"sqlite:///{tmp_path / 'kakehashi.db'}")
    config = _settings_file(own, tmp_path / "gateway.toml")
    archive = tmp_path / "copy.tar.gz"
    async with run_gateway(own):
        assert (await _command("backup", archive, "-c", config)).returncode == 0
    again = await _command("backup", archive, "-c", config)
    assert again.returncode == 1
    assert "never written over" in again.stderr

    own.audit.key_file.write_text("another key")
    own.secrets_file.unlink()
    refused = await _command("restore", archive, "-c", config)
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    assert "audit.pem exists and differs" in refused.stderr
    assert "the database is not empty" in refused.stderr
    assert not own.secrets_file.exists()
    assert own.audit.key_file.read_text() == "another key"


async def test_a_damaged_or_foreign_archive_is_refused(tmp_path: Path, directory: Slapd) -> None:
    own = settings(tmp_path / "gateway", directory, f"sqlite:///{tmp_path / 'kakehashi.db'}")
    config = _settings_file(own, tmp_path / "gateway.toml")
    archive = tmp_path / "copy.tar.gz"
    async with run_gateway(own):
        assert (await _command("backup", archive, "-c", config)).returncode == 0
    _lose(own.database.url, None)  # type: ignore[arg-type]  # it is SQLite
    whole = gzip.decompress(archive.read_bytes())
    for name, content in [
        ("nothing", b""),
        ("text", b"hello"),
        ("half", archive.read_bytes()[:-3000]),
        ("altered", gzip.compress(whole.replace(b"SQLite format 3", b"SQLite format 4", 1))),
        ("other tenant", gzip.compress(whole.replace(b'"tenant_id": "city"', b'"tenant_id": "town"', 1))),
        ("path", gzip.compress(whole.replace(b'"files/policy.path"', b'"files/../policy.p"', 1))),
    ]:
        archive.write_bytes(content)
        refused = await _command("restore", archive, "-c", config)
        assert refused.returncode == 1, name
        assert refused.stderr.startswith("kakehashi: "), name
        assert not (tmp_path / "kakehashi.db").exists(), name
    left = await asyncio.to_thread(lambda: sorted(file.name for file in tmp_path.iterdir()))
    assert left == ["copy.tar.gz", "gateway", "gateway.toml"]
