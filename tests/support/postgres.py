"""A real PostgreSQL 15 in a temporary folder, on a unix socket and a free loopback port."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where it listens; `url(name)` is a SQLAlchemy-style URL."""

    port: int
    folder: Path

    def url(self, database: str) -> str:
        """The URL of a database on this server."""
        return f"postgresql://kakehashi:pg-test@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str) -> None:
        """Run one statement in the maintenance database."""
        subprocess.run(
            [
                _BIN[-1] / "psql",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                "kakehashi",
                "-d",
                "postgres",
                "-qAtc",
                statement,
            ],
            env={"PGPASSWORD": "pg-test", "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            timeout=30,
        )


@contextmanager
def run_postgres(folder: Path) -> Iterator[Postgres]:
    """Start a server in an existing folder that everybody may enter; stop it at the end.

    It refuses to be root, so it runs as `postgres` when we are.
    """
    as_root = os.geteuid() == 0
    account = pwd.getpwnam("postgres") if as_root else None
    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    password = folder / "password"
    password.write_text("pg-test")
    password.chmod(0o644)
    data, port = folder / "data", free_port()

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder, **identity)  # type: ignore[call-overload]  # the identity mapping is not typed

    run(
        _BIN[-1] / "initdb", "-D", data, "-A", "scram-sha-256", "-U", "kakehashi", f"--pwfile={password}",
        "-E", "UTF8", "--locale=C.UTF-8", "-N",
    )  # fmt: skip
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    control = _BIN[-1] / "pg_ctl"
    run(control, "-D", data, "-w", "-t", "30", "-l", folder / "log", "-o", options, "start")
    try:
        yield Postgres(port, folder)
    finally:
        run(control, "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(data, ignore_errors=True)
