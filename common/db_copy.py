"""A whole copy of the database while it is in use, and the way back: SQLite's online backup, or pg_dump and pg_restore.

Counterpart: `gateway/backup.py`, which keeps the copy beside the keys without which it is worth little. Programs get
the password in their environment, where other accounts do not see it.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.engine import make_url

from common.errors import KakehashiError
from common.settings import environment

Kind = Literal["sqlite", "postgresql"]
_PROGRAM_SECONDS: Final = 3600
_LAST_WORDS: Final = 1_000


def kind(url: str) -> Kind:
    """Which database a URL of the settings names."""
    return "sqlite" if make_url(url).get_backend_name() == "sqlite" else "postgresql"


def sqlite_file(url: str) -> Path:
    """Where an SQLite database lies."""
    return Path(make_url(url).database or "")


def dump(url: str, target: Path) -> None:
    """Copy all of it, as it is at one moment, into a new file. Raises KakehashiError."""
    if kind(url) == "postgresql":
        _run(url, "pg_dump", "--format=custom", f"--file={target}")
        return
    source = sqlite_file(url)
    if not source.is_file():
        raise KakehashiError(f"{source}: no such database")
    try:
        with closing(_open(source, "ro")) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
            writing.execute("pragma journal_mode = delete")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise KakehashiError(f"{source}: cannot be copied: {error}") from error


def is_empty(url: str) -> bool:
    """Whether nothing of ours is there: no file, or no table. Raises KakehashiError."""
    if kind(url) == "sqlite":
        file = sqlite_file(url)
        return not file.exists() or file.stat().st_size == 0
    listed = _run(url, "psql", "-qAtc", "select count(*) from pg_tables where schemaname = current_schema()")
    return listed.strip() == "0"


def load(url: str, source: Path, give: Callable[[int], None]) -> None:
    """Fill an empty database from a copy; all of it or nothing. `give` sets the owner of an SQLite file by its
    descriptor, before the file has its name. Raises KakehashiError."""
    if kind(url) == "postgresql":
        _run(url, "pg_restore", "--single-transaction", "--no-owner", "--no-privileges", str(source))
        return
    with closing(_open(source, "ro")) as copy:
        found = copy.execute("pragma integrity_check").fetchone()[0]
    if found != "ok":
        raise KakehashiError(f"the copy of the database is damaged: {found}")
    target = sqlite_file(url)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = target.with_name(target.name + ".restoring")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out, source.open("rb") as stream:
        shutil.copyfileobj(stream, out)
        give(out.fileno())
    half.replace(target)


def _open(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True)


def _run(url: str, program: str, *arguments: str) -> str:
    place = make_url(url)
    where = place.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": place.password} if place.password else {}
    command = [program, *arguments, "--dbname", where]
    try:
        done = subprocess.run(
            command,
            env={**environment(), **secret},
            capture_output=True,
            timeout=_PROGRAM_SECONDS,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise KakehashiError(f"{program} is not installed: apt-get install postgresql-client") from error
    except subprocess.TimeoutExpired as error:
        raise KakehashiError(f"{program} did not end within {_PROGRAM_SECONDS} s") from error
    if done.returncode != 0:
        raise KakehashiError(f"{program} failed ({done.returncode}): {done.stderr.strip()[-_LAST_WORDS:]}")
    return done.stdout
