"""A child of the agent: its words, its end, its own key ring, no descriptor left behind."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from agents.child import Child
from agents.sandbox import Command
from tests.support.agent import needs_root

_RING = "import ctypes; print(ctypes.CDLL(None).syscall(250, 0, -3, 0), flush=True); input()"


def _shell(script: str, *, facts: str = "") -> Child:
    """A stand-in for bwrap: `facts` is shell that prints what bwrap would tell of the sandbox's first process."""

    def build(options: int, info: int) -> Command:
        prelude = f"cat <&{options} >/dev/null; exec {options}<&-\n{{ {facts or ':'}; }} >&{info}; exec {info}>&-\n"
        return Command(["bash", "-c", prelude + script], b"x\0")

    return Child(build)


async def test_words_are_read_in_turn_and_the_status_is_told() -> None:
    child = _shell("echo one; echo two; echo oops >&2; read -r _; exit 7")
    await child.adopt()
    assert [await child.next_stage() for _ in range(2)] == ["one", "two"]
    child.ask_to_end()
    assert await child.next_stage() is None
    assert await child.wait() == 7
    assert child.silence() == "oops\n"
    child.kill()  # harmless now
    child.ask_to_end()


async def test_end_of_input_asks_for_the_end() -> None:
    child = _shell("echo up; read -r _; exit 3")
    assert await child.next_stage() == "up"
    child.ask_to_end()
    assert await child.wait() == 3


async def test_endless_words_do_not_grow() -> None:
    child = _shell("yes x | tr -d '\\n'")
    assert await child.next_stage() == "x" * 33
    child.kill()
    assert await child.wait() != 0


async def test_flood_after_silence_meets_a_closed_pipe() -> None:
    child = _shell("echo up; yes")
    assert await child.next_stage() == "up"
    child.silence()
    assert await child.wait() == -signal.SIGPIPE


async def test_wait_is_for_the_first_process_as_well() -> None:
    """The outer process may report before the namespace is gone: the end counts only when both are."""
    child = _shell("echo $!; read -r _; exit 4", facts="sleep 70 & printf '{\"child-pid\": %d}' $!")
    await child.adopt()
    first = await child.next_stage()
    assert first is not None
    child.ask_to_end()
    assert await child.wait() == 4
    assert not os.path.exists(f"/proc/{first}/exe")  # noqa: ASYNC240 - one look at /proc


async def test_nothing_is_left_open() -> None:
    before = set(os.listdir("/proc/self/fd"))
    child = _shell("exit 0")
    await child.adopt()
    await child.wait()
    assert set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(FileNotFoundError):
        Child(lambda _options, _info: Command(["/nonexistent"], b""))
    assert set(os.listdir("/proc/self/fd")) == before


@needs_root
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="asks the kernel by its x86-64 number")
async def test_every_child_has_a_key_ring_of_its_own() -> None:
    children = [_shell(f'{sys.executable} -c "{_RING}"') for _ in range(2)]
    rings = [await child.next_stage() for child in children]
    assert len(set(rings)) == 2
    assert all(ring and int(ring) > 0 for ring in rings)
    for child in children:
        child.ask_to_end()
        began = time.monotonic()
        await child.wait()
        assert time.monotonic() - began < 10
