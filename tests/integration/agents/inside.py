"""Runs programs inside a desktop's sandbox as its user, the way a hostile program there would run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from agents.limits import own_groups
from agents.messages import DesktopInfo

_MOUNTS = Path("/proc/self/mountinfo")
# $1.. up to -- are cgroup.procs files to join first.
_JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec "$@"'
_DROP = ("--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all", "--ambient-caps", "-all", "--no-new-privs")


def first_process(info: DesktopInfo) -> int:
    """Process number on the host of the first process in the desktop's PID namespace."""
    return int(Path(f"/proc/{info.pid}/task/{info.pid}/children").read_text().split()[0])


def uid_of(info: DesktopInfo) -> int:
    """The desktop's user number: that of its session script."""
    first = first_process(info)
    return os.stat(f"/proc/{Path(f'/proc/{first}/task/{first}/children').read_text().split()[0]}").st_uid


def run_inside(
    info: DesktopInfo, script: str, *, timeout: float = 20, interpreter: tuple[str, ...] = ("sh", "-c")
) -> subprocess.CompletedProcess[str]:
    """Run a script in all namespaces, groups and limits of the desktop, with the session's environment."""
    first, uid = first_process(info), uid_of(info)
    session = Path(f"/proc/{first}/task/{first}/children").read_text().split()[0]
    environment = Path(f"/proc/{session}/environ").read_bytes().decode().rstrip("\0").split("\0")
    groups = own_groups(_MOUNTS, Path(f"/proc/{first}/cgroup"))
    joins = [str(groups[name] / "cgroup.procs") for name in ("", "memory", "cpu", "pids") if name in groups]
    limits = limits_of(session)
    command = [
        *("sh", "-c", _JOIN, "join", *joins, "--"),
        *("nsenter", "-t", str(first), "-m", "-p", "-i", "-n", "-u", "-r", "-w"),
        *("prlimit", *limits, "setpriv", "--reuid", str(uid), "--regid", str(uid), *_DROP),
        *("env", "-i", *environment, *interpreter, script),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def run_as(uid: int, script: str, *, timeout: float = 20) -> subprocess.CompletedProcess[str]:
    """Run a script on the host itself under a desktop's user number: the walls of the sandbox gone."""
    command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), *_DROP, "sh", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd="/")


def limits_of(pid: str) -> list[str]:
    """The task and memory limits of a process as options of prlimit."""
    names = {"Max processes": "nproc", "Max data size": "data"}
    options = []
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        for title, name in names.items():
            if line.startswith(title):
                options.append(f"--{name}={line[len(title) :].split()[0]}")
    return options
