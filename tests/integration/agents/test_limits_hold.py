"""Memory hogs, fork bombs and busy loops of one desktop: it is held, the others do not notice."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from agents.messages import DesktopState, Stats, StatsRequest
from tests.integration.agents.inside import run_as, run_inside, uid_of
from tests.integration.agents.raw_rfb import RawViewer
from tests.support.agent import Agent, processes_of, running_agent

_HOG = """
blocks = []
while True:
    blocks.append(bytearray(16 << 20)); print(len(blocks) * 16, flush=True)
"""
_BOMB = """
import os, signal, time
made = 0
try:
    for _ in range(5000):
        if os.fork() == 0:
            signal.pause()
        made += 1
except OSError as error:
    print(made, error.errno, flush=True)
time.sleep(1)
os.kill(-1, signal.SIGKILL) if os.getpid() == 1 else os.killpg(0, signal.SIGKILL)
"""


def _answers_within(viewer: RawViewer, seconds: float) -> None:
    began = time.monotonic()
    viewer.update()
    took = time.monotonic() - began
    assert took < seconds, f"{took:.2f} s for a picture"


def test_memory_hog_is_ended_and_the_neighbour_lives(agent: Agent) -> None:
    (stats,) = agent.call(StatsRequest())
    assert isinstance(stats, Stats)
    if stats.limits == "rlimits":
        pytest.skip("this machine offers no cgroup; see the test of resource limits")
    agent.ready("dsk_hog", "usr_hog")
    agent.ready("dsk_calm", "usr_calm")
    calm = RawViewer(agent.stream("dsk_calm"))
    # The settings allow 512 MiB (conftest).
    said = run_inside(agent.info("dsk_hog"), _HOG, interpreter=("python3", "-c"), timeout=60)
    assert said.returncode == -9 or said.returncode == 137, said.stderr
    assert 100 < int(said.stdout.split()[-1]) < 512
    _answers_within(calm, 2)
    assert agent.info("dsk_calm").state is DesktopState.READY
    # The greedy program went, not the display: the person still has a desktop.
    assert agent.info("dsk_hog").state is DesktopState.READY
    assert agent.info("dsk_hog").memory_bytes < 512 << 20
    # A private /tmp counts as well.
    filled = run_inside(agent.info("dsk_hog"), "head -c 2G /dev/zero > /tmp/big; ls -s --block-size=1M /tmp/big")
    assert filled.returncode != 0 or int(filled.stdout.split()[0]) <= 512
    calm.close()
    agent.stop("dsk_hog")
    agent.stop("dsk_calm")


def test_fork_bomb_is_held(agent: Agent) -> None:
    agent.ready("dsk_bomb", "usr_bomb")
    agent.ready("dsk_calm", "usr_calm")
    calm = RawViewer(agent.stream("dsk_calm"))
    info = agent.info("dsk_bomb")
    said = run_inside(info, _BOMB, interpreter=("setsid", "-w", "python3", "-c"), timeout=60)
    made, errno = map(int, said.stdout.split())
    assert errno == 11
    assert 50 < made < 300  # the settings allow 300 tasks (conftest)
    _answers_within(calm, 2)
    uid = uid_of(info)
    agent.stop("dsk_bomb")
    assert processes_of(uid) == []
    calm.close()
    agent.stop("dsk_calm")


def test_busy_loops_get_their_share_only(tmp_path: Path, locale_state: Path) -> None:
    extra = "[agent.limits]\ncpu_percent = 20"
    with running_agent(tmp_path / "host", extra, locale_from=locale_state) as agent:
        (stats,) = agent.call(StatsRequest())
        assert isinstance(stats, Stats)
        if stats.limits == "rlimits":
            pytest.skip("resource limits share no processor time")
        agent.ready("dsk_busy", "usr_busy")
        loop = "import time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
        said = run_inside(agent.info("dsk_busy"), loop, interpreter=("python3", "-c"))
        assert float(said.stdout) < 1.2, said  # 20 % of three seconds, and slack for a busy machine


def test_without_cgroups_resource_limits_hold(tmp_path: Path, locale_state: Path) -> None:
    """A machine whose cgroups cannot be written: its cgroup file systems hidden from the agent."""
    hide = ["unshare", "-m", "--propagation", "private", "sh", "-c"]
    groups = 'grep " - cgroup" /proc/self/mountinfo | cut -d" " -f5 | sort -r'
    script = groups + ' | while read p; do umount "$p"; done; exec "$@"'
    assert subprocess.run([*hide, "true"], check=False).returncode == 0
    extra = "[agent.limits]\nmemory_mib = 300\ntasks = 200"
    prefix = (*hide, script, "hide")
    with running_agent(tmp_path / "host", extra, locale_from=locale_state, prefix=prefix) as agent:
        (stats,) = agent.call(StatsRequest())
        assert isinstance(stats, Stats)
        assert stats.limits == "rlimits"
        agent.ready("dsk_plain", "usr_plain")
        info = agent.info("dsk_plain")
        assert info.memory_bytes > 10 << 20
        assert info.processes > 5
        everything = processes_of(uid_of(info))
        assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in everything} == {10}
        higher = run_as(uid_of(info), f"renice -n 0 -p {everything[0]}")
        assert higher.returncode != 0, "it gives way for good"
        said = run_inside(info, _HOG, interpreter=("python3", "-c"))
        assert "MemoryError" in said.stderr
        bomb = run_inside(info, _BOMB, interpreter=("setsid", "-w", "python3", "-c"), timeout=60)
        assert int(bomb.stdout.split()[0]) < 200
        RawViewer(agent.stream("dsk_plain")).close()
