"""`kakehashi demo` as a person runs it: all programs real, everything inside its folder, nothing left behind."""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psutil
import pytest

from common.settings import environment
from tests.e2e.attacker import desktop
from tests.support.agent import needs_root
from tests.support.litter import private_view
from tests.support.person import Person
from tests.support.ports import free_port

ROOT: Final = Path(__file__).resolve().parents[4]
READY: Final = "Ctrl-C ends it all."
_START_SECONDS: Final = 90.0
_AGAIN_SECONDS: Final = 45.0
"""For the second start in a folder: five on a quiet machine with two cores, and time to end."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: sockets of desktops must fit below it. Nothing may run in it afterwards."""
    made = Path(tempfile.mkdtemp(prefix="kd-", dir="/tmp"))
    made.chmod(0o755)
    yield made / "d"
    for left in programs_in(made):
        left.kill()
    shutil.rmtree(made)


class Demo:
    """A demo running in the background; its words go into a file beside its folder."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, within: Sequence[str] = ()) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.words = folder.parent / "words"
        command = [sys.executable, "-c", "from gateway.cli import main; main()", "demo", "--folder", str(folder)]
        with self.words.open("w") as out:
            self.running = subprocess.Popen(
                [*within, *command, "--port", str(self.port), *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={name: value for name, value in environment().items() if name != "HOME"},
            )

    @property
    def said(self) -> str:
        """Everything it printed so far."""
        return self.words.read_text("utf-8")

    def until(self, text: str) -> None:
        """Wait until it said so; shows its words when it ends instead."""
        deadline = time.monotonic() + _START_SECONDS
        while text not in self.said:
            assert self.running.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for its end."""
        self.running.send_signal(number)
        return self.running.wait(40)


def programs_in(folder: Path) -> list[psutil.Process]:
    """Programs that name the folder in their arguments, environment or working folder."""
    found = []
    for program in psutil.process_iter():
        try:
            words = [*program.cmdline(), *program.environ().values(), program.cwd()]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if any(str(folder) in word for word in words):
            found.append(program)
    return found


def alive(programs: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; whom nobody has collected yet has."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [one for one in programs if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return alive([one for one in programs if one.is_running()])


async def start_desktop(demo: Demo) -> None:
    """Somebody works when it ends."""
    async with Person(f"https://localhost:{demo.port}", "itou.daisuke") as person:
        await person.log_in()
        await desktop(person, "office-desktop")


def wait_for_nobody(folder: Path) -> None:
    """The kernel tells orphans to end; give them their moment."""
    deadline = time.monotonic() + 15
    while left := programs_in(folder):
        assert time.monotonic() < deadline, [program.cmdline() for program in left]
        time.sleep(0.05)


@pytest.mark.timeout(300)
def test_it_starts_answers_and_ends_and_a_second_run_keeps_its_state_on_another_port(folder: Path) -> None:
    first = Demo(folder, "--check")
    assert first.running.wait(_START_SECONDS) == 0, first.said
    assert "everything answers" in first.said
    assert "30 people added" in first.said
    assert programs_in(folder) == []
    keyring = (folder / "gateway" / "keyring").read_bytes()

    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        taken = other.getsockname()[1]
        started = time.monotonic()
        second = Demo(folder, "--check", port=taken)
        assert second.running.wait(_START_SECONDS) == 0, second.said
    assert time.monotonic() - started < _AGAIN_SECONDS
    assert f"port {taken} is taken by another program: using" in second.said
    assert "people added" not in second.said
    assert (folder / "gateway" / "keyring").read_bytes() == keyring


@needs_root
@pytest.mark.timeout(300)
def test_ctrl_c_ends_every_program_and_leaves_nothing_outside_the_folder(folder: Path) -> None:
    with private_view(folder.parent, ROOT) as view:
        demo = Demo(folder, within=view.enter)
        demo.until(READY)
        accounts = {program.uids().real for program in programs_in(folder) if program.pid != demo.running.pid}
        if "runs as root" not in demo.said:
            assert len(accounts) == 3, "gateway, directory and agent have an account each"
        asyncio.run(start_desktop(demo))
        programs = psutil.Process(demo.running.pid).children(recursive=True)
        assert {"Xtigervnc", "openbox"} <= {program.name() for program in programs}
        assert demo.end(signal.SIGINT) == 0, demo.said
        assert "all programs have ended" in demo.said
        assert alive(programs) == []  # a desktop's name nothing of the folder
        assert programs_in(folder) == []
        assert {path.name for path in folder.parent.iterdir()} == {"d", "words"}
        assert view.left() == []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", demo.port))


@pytest.mark.timeout(300)
def test_killed_without_a_word_its_programs_end_too(folder: Path) -> None:
    demo = Demo(folder)
    demo.until(READY)
    assert len(programs_in(folder)) > 1
    demo.end(signal.SIGKILL)
    wait_for_nobody(folder)


@pytest.mark.timeout(300)
def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing_running(folder: Path) -> None:
    demo = Demo(folder)
    demo.until("[3/6]")
    assert demo.end(signal.SIGINT) == 0, demo.said
    assert programs_in(folder) == []


def test_two_demos_in_one_folder_are_refused(folder: Path) -> None:
    first = Demo(folder)
    first.until("[2/6]")
    second = Demo(folder, "--check")
    assert second.running.wait(30) == 1
    assert "another demo already runs" in second.said
    assert first.end(signal.SIGTERM) == 0
    wait_for_nobody(folder)


def test_a_wrong_address_is_explained(folder: Path) -> None:
    demo = Demo(folder, "--check", "--listen", "everywhere")
    assert demo.running.wait(30) == 1
    assert "--listen takes an IP address" in demo.said
