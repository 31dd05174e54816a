"""A real PostgreSQL 15 in a temporary folder, on a unix socket and a free loopback port.

Tests that stop it, or let it hang, start one of their own: the one of the `postgres` fixture is everybody's.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port

_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where it listens; `url(name)` is a SQLAlchemy-style URL."""

    port: int
    folder: Path
    _control: Callable[..., None]

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

    def start(self) -> None:
        """Start it (again) and wait until it answers."""
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder} -c fsync=off"
        )
        self._control("-w", "-t", "30", "-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """End it at once, as a power cut would; connections break."""
        self.resume()
        self._control("-w", "-m", "immediate", "stop")

    def hang(self) -> None:
        """SIGSTOP for the server and all that serve its connections: the kernel accepts, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End of `hang`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        server = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in (server, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


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
    server = Postgres(port, folder, lambda *command: run(_BIN[-1] / "pg_ctl", "-D", data, *command))
    server.start()
    try:
        yield server
    finally:
        with suppress(FileNotFoundError, subprocess.CalledProcessError):  # a test may have stopped it
            server.stop()
        shutil.rmtree(data, ignore_errors=True)
