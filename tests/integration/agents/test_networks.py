"""Which network a desktop sees: its own loopback, a prepared namespace, or the host's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.messages import DesktopInfo
from tests.integration.agents.inside import first_process, run_inside
from tests.support.agent import running_agent


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Path]:
    """A network namespace kept by a file, the way `ip netns add` keeps one."""
    file = tmp_path / "office"
    file.touch()
    subprocess.run(["unshare", f"--net={file}", "true"], check=True, timeout=10)
    yield file
    subprocess.run(["umount", str(file)], check=True, timeout=10)


def _network(info: DesktopInfo) -> int:
    return os.stat(f"/proc/{first_process(info)}/ns/net").st_ino


def test_prepared_namespace_is_entered(tmp_path: Path, locale_state: Path, office: Path) -> None:
    extra = f'network = "namespace"\nnetwork_namespace = "{office}"'
    with running_agent(tmp_path / "host", extra, locale_from=locale_state) as agent:
        agent.ready("dsk_a", "usr_a")
        agent.ready("dsk_b", "usr_b")
        assert _network(agent.info("dsk_a")) == _network(agent.info("dsk_b")) == office.stat().st_ino
        # Sharing a network is not sharing a display: nothing of the other listens in it.
        listening = run_inside(agent.info("dsk_a"), "cat /proc/net/tcp /proc/net/tcp6 | grep -c ' 0A '")
        assert listening.stdout == "0\n"
        assert "X11-unix" not in run_inside(agent.info("dsk_a"), "grep @ /proc/net/unix").stdout
        assert agent.terminate() == 0


def test_host_network_is_the_hosts_and_nothing_else_opens(tmp_path: Path, locale_state: Path) -> None:
    with running_agent(tmp_path / "host", 'network = "host"', locale_from=locale_state) as agent:
        agent.ready("dsk_a", "usr_a")
        info = agent.info("dsk_a")
        assert _network(info) == os.stat("/proc/self/ns/net").st_ino
        assert run_inside(info, "test -e /etc/resolv.conf").returncode == 0
        assert run_inside(info, f"ls {agent.socket_path}").returncode != 0


def test_each_desktop_has_a_loopback_of_its_own(tmp_path: Path, locale_state: Path) -> None:
    with running_agent(tmp_path / "host", locale_from=locale_state) as agent:
        agent.ready("dsk_a", "usr_a")
        agent.ready("dsk_b", "usr_b")
        numbers = {_network(agent.info("dsk_a")), _network(agent.info("dsk_b")), os.stat("/proc/self/ns/net").st_ino}
        assert len(numbers) == 3
        assert "lo" in run_inside(agent.info("dsk_a"), "cat /proc/net/dev").stdout
