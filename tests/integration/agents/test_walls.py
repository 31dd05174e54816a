"""User A, with every program A likes, against user B's desktop, the agent and the gateway. All of it must fail.

Each attempt is made twice where both make sense: from inside A's sandbox, and as A's user number on the host itself (as
if the sandbox had a hole). Every attempt has a counter-check that the same words work where they should.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.messages import DesktopInfo
from tests.integration.agents.inside import first_process, run_as, run_inside, uid_of
from tests.support.agent import Agent

_CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(3)
s.connect(sys.argv[1]); print("connected")
"""


@pytest.fixture(scope="module")
def pair(agent: Agent) -> Iterator[tuple[DesktopInfo, DesktopInfo]]:
    """The desktops of A and B."""
    agent.ready("dsk_a", "usr_a")
    agent.ready("dsk_b", "usr_b")
    run_inside(agent.info("dsk_b"), "echo 秘密 > ~/secret; chmod 777 ~/secret")
    yield agent.info("dsk_a"), agent.info("dsk_b")
    agent.stop("dsk_a")
    agent.stop("dsk_b")


def test_users_have_numbers_of_their_own_and_no_rights(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, b = pair
    assert uid_of(a) != uid_of(b)
    session = int(Path(f"/proc/{first_process(a)}/task/{first_process(a)}/children").read_text().split()[0])
    facts = dict(
        line.split(":\t") for line in Path(f"/proc/{session}/status").read_text().splitlines() if ":\t" in line
    )
    assert set(facts["Uid"].split()) == set(facts["Gid"].split()) == {str(uid_of(a))}
    assert facts["Groups"].strip() == ""
    assert {facts[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert facts["NoNewPrivs"] == "1"


def test_no_program_of_a_desktop_runs_as_root(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, _ = pair
    seen = run_inside(a, "ps -eo uid=,comm=").stdout.split("\n")
    roots = [line.split()[1] for line in seen if line.split()[:1] == ["0"]]
    assert roots == ["bwrap"]  # the namespace's first process, which has given up all capabilities
    first = Path(f"/proc/{first_process(a)}/status").read_text()
    assert "CapEff:\t0000000000000000" in first


def test_nothing_of_others_is_seen_from_inside(agent: Agent, pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, b = pair
    hidden = [
        agent.homes_dir / "usr_b" / "secret",
        agent.homes_dir,
        agent.state_dir,
        agent.socket_path,
        agent.runtime_dir / "dsk_b" / "rfb" / "rfb.sock",
        Path("/root"),
        Path("/etc/shadow"),
        Path("/etc/hostname"),
        Path("/sys"),
        Path("/boot"),
        Path(f"/proc/{first_process(b)}/root"),
    ]
    for path in hidden:
        assert path.exists(), path
        said = run_inside(a, f"ls -d '{path}'")
        assert said.returncode != 0, f"{path}: {said.stdout}"
    homes = run_inside(a, "ls /home; ls -A /opt; ls -A /run")
    assert homes.stdout == "sato\nkakehashi\nkakehashi-locale\nkakehashi\n", homes


def test_processes_of_others_are_neither_seen_nor_signalled(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, b = pair
    victim = int(Path(f"/proc/{first_process(b)}/task/{first_process(b)}/children").read_text().split()[0])
    assert "Xtigervnc" in run_inside(a, "ps -e").stdout
    assert run_inside(a, "ps -eo uid= | sort -u").stdout.split() == ["0", str(uid_of(a))]
    for attack in (
        f"kill -0 {victim}",
        f"cat /proc/{victim}/environ",
        f"ls /proc/{victim}/fd",
        f"cat /proc/{victim}/mem",
    ):
        assert run_as(uid_of(b), attack.replace("mem", "comm")).returncode == 0
        assert run_as(uid_of(a), attack).returncode != 0
    # Signals to everything reach only the own desktop; to the namespace's first process, nothing.
    assert run_inside(a, "kill -KILL 1").returncode != 0
    assert Path(f"/proc/{victim}").exists()


def test_display_and_cookie_of_others_are_out_of_reach(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, b = pair
    cookie = run_inside(b, "xauth list").stdout
    assert "MIT-MAGIC-COOKIE-1" in cookie
    assert cookie != run_inside(a, "xauth list").stdout
    root_b = f"/proc/{first_process(b)}/root"
    for path in (f"{root_b}/tmp/session/xauthority", f"{root_b}/tmp/.X11-unix/X1"):
        assert os.path.exists(path)
        assert run_as(uid_of(a), f"cat {path} || ls {path}").returncode != 0
    # Even B's display socket in hand, A has no cookie for it.
    assert run_inside(b, "XAUTHORITY=/dev/null xset q").returncode != 0
    assert run_inside(b, "xset q").returncode == 0


def test_no_desktop_listens_where_others_could_connect(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, _ = pair
    assert run_inside(a, "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp | grep -v local_address").stdout == ""
    # Abstract sockets (mozc makes some) live in the desktop's own network namespace, not in the host's.
    wait_for_one = "for i in $(seq 100); do grep -q @ /proc/net/unix && break; sleep 0.1; done; cat /proc/net/unix"
    mine = run_inside(a, wait_for_one).stdout
    assert "@" in mine
    host = Path("/proc/net/unix").read_text()
    abstract = [line.split()[-1] for line in mine.splitlines() if "@" in line]
    assert not [name for name in abstract if name in host]


def test_rfb_socket_is_only_the_agents_to_open(agent: Agent, pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, b = pair
    path = agent.runtime_dir / "dsk_b" / "rfb" / "rfb.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_uid == 0
    assert path.parent.stat().st_mode & 0o777 == 0o700
    attempt = f"python3 -c '{_CONNECT}' {path}"
    assert run_as(uid_of(a), attempt).returncode != 0
    assert run_as(uid_of(b), attempt).returncode != 0
    assert run_inside(a, "ls /run/kakehashi").returncode != 0
    assert run_inside(a, "mv /run/kakehashi /run/x; rm -rf /run/kakehashi; touch /run/kakehashi/x").returncode != 0


def test_agents_socket_refuses_all_but_the_gateway(agent: Agent, pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, _ = pair
    assert agent.socket_path.stat().st_mode & 0o777 == 0o600
    attempt = f"python3 -c '{_CONNECT}' {agent.socket_path}"
    assert subprocess.run(["sh", "-c", attempt], capture_output=True, check=False).returncode == 0
    assert run_as(uid_of(a), attempt).returncode != 0
    # Even if somebody opened the socket's mode, the kernel's word on the caller counts.
    agent.socket_path.chmod(0o666)
    for folder in (agent.socket_path.parent, *agent.socket_path.parents):
        if str(folder).startswith("/tmp/") and not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o111)
    asked = attempt.replace('print("connected")', 's.sendall(b"{\\"op\\":\\"list\\"}\\n"); print(repr(s.recv(100)))')
    try:
        said = run_as(uid_of(a), asked)
        assert "ok" not in said.stdout, said
    finally:
        agent.socket_path.chmod(0o600)


def test_homes_are_closed_on_the_host_as_well(agent: Agent, pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, b = pair
    secret = agent.homes_dir / "usr_b" / "secret"
    assert agent.homes_dir.stat().st_mode & 0o777 == 0o700
    assert (agent.homes_dir / "usr_b").stat().st_mode & 0o777 == 0o700
    assert run_as(uid_of(a), f"cat {secret}").returncode != 0
    assert run_inside(b, "cat ~/secret").stdout == "秘密\n"


def test_system_cannot_be_changed_from_inside(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, _ = pair
    for attack in (
        "touch /usr/bin/x",
        "touch /etc/x",
        "touch /x",
        "touch /opt/kakehashi/session.sh",
        "echo x >> /etc/passwd",
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /usr",
        "unshare -m true",
        "mknod /tmp/sda b 8 0",
        "su -c true",
        "cat /dev/mem",
        "chroot / true",
        "echo 1 > /proc/sys/kernel/sysrq",
        "python3 -c 'import os; os.setuid(0)'",
        "nsenter -t 1 -m true",
    ):
        said = run_inside(a, attack)
        assert said.returncode != 0, f"{attack}: {said}"
    assert run_inside(a, "touch ~/x /tmp/x /dev/shm/x").returncode == 0


def test_browser_runs_with_its_own_sandbox(agent: Agent) -> None:
    agent.ready("dsk_web", "usr_web")
    info = agent.info("dsk_web")
    run_inside(info, "setsid chromium >/dev/null 2>&1 </dev/null & sleep 0.1")
    # The session's proc shows the browser's parts: those that handle pages must run filtered (seccomp mode 2).
    parts = "for p in $(pgrep -f -- '[-]-type=renderer'); do sed -n 's/^Seccomp:\\t//p' /proc/$p/status; done"
    look = parts + " | sort -u | tr -d '\\n'"
    deadline = time.monotonic() + 40
    while (seen := run_inside(info, look).stdout) != "2":
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)
    assert "no-sandbox" not in run_inside(info, "ps -eo args=").stdout
    agent.stop("dsk_web")


def test_no_network_means_no_loopback_service_of_the_host(pair: tuple[DesktopInfo, DesktopInfo]) -> None:
    a, _ = pair
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        attempt = f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'"
        assert subprocess.run(["sh", "-c", attempt], capture_output=True, check=False).returncode == 0
        assert run_inside(a, attempt).returncode != 0
    assert run_inside(a, "cat /proc/net/route | wc -l").stdout == "1\n"


def test_a_desktop_cannot_point_the_agent_at_another_socket(agent: Agent) -> None:
    """The confused deputy: a program of A acts before the folder is closed and plants a link to B's door."""
    agent.ready("dsk_liar", "usr_liar")
    agent.ready("dsk_victim", "usr_victim")
    folder = agent.runtime_dir / "dsk_liar" / "rfb"
    target = agent.runtime_dir / "dsk_victim" / "rfb" / "rfb.sock"
    (folder / "rfb.sock").unlink()
    for plant in (folder.joinpath("rfb.sock").symlink_to, folder.joinpath("rfb.sock").hardlink_to):
        plant(target)
        with pytest.raises(AssertionError):
            agent.stream("dsk_liar")
        (folder / "rfb.sock").unlink()
    agent.stop("dsk_liar")
    agent.stop("dsk_victim")
