"""Memory, processor and task limits per desktop: cgroup v2, else cgroup v1, else resource limits only.

Counterpart: `agents.desktop` makes one `DesktopGroup` per desktop; `agents.sandbox` lets the desktop's first process
join it before anything is forked. Groups are made below the agent's own group, so that whatever limits the agent as
a whole (a systemd slice, a container) limits its desktops too.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from agents.settings import DesktopLimits
from common.log import get_logger

_PERIOD_US: Final = 100_000
_V1_CONTROLLERS: Final = ("memory", "cpu", "pids")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a desktop uses now."""

    memory_bytes: int
    processes: int


def usage_of_user(uid: int | None) -> Usage:
    """Measure by user number, for want of a group: resident pages (shared ones counted at each user) and processes."""
    pages = processes = 0
    for entry in os.scandir("/proc") if uid is not None else ():
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                pages += int(Path(entry.path, "statm").read_text().split()[1])
                processes += 1
        except (OSError, ValueError, IndexError):
            continue
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), processes)


class DesktopGroup(Protocol):
    """The limits of one desktop."""

    join_files: tuple[Path, ...]
    """Files to which a process writes its number to come under the limits."""

    def usage(self) -> Usage | None:
        """Measure; None when this kind of limit measures nothing."""
        ...

    def remove(self) -> None:
        """Give the group back once its processes are gone."""
        ...


class Limiter(Protocol):
    """A way to limit desktops on this machine."""

    kind: str
    per_process_memory: bool
    """Whether memory must be limited process by process, for want of a group."""

    def group(self, name: str, limits: DesktopLimits) -> DesktopGroup:
        """Make the group of a desktop. Raises OSError."""
        ...

    def clear(self) -> None:
        """End and remove whatever an earlier agent that was killed left in its groups."""
        ...

    def close(self) -> None:
        """Remove what the agent made on the machine; no desktop may be left."""
        ...


class _Folders:
    """A group made of one folder per controller (one folder in all for v2)."""

    def __init__(self, folders: tuple[Path, ...], memory: Path, current: str, inactive: str) -> None:
        self.join_files = tuple(folder / "cgroup.procs" for folder in folders)
        self._folders = folders
        self._memory = memory
        self._current = current
        self._inactive = inactive

    def usage(self) -> Usage | None:
        try:
            used = int((self._memory / self._current).read_text())
            facts = dict(line.split() for line in (self._memory / "memory.stat").read_text().splitlines())
            processes = len((self._memory / "cgroup.procs").read_text().split())
        except (OSError, ValueError):
            return None
        # File pages that nobody has touched lately are the machine's, to be taken back at any time.
        return Usage(max(0, used - int(facts.get(self._inactive, 0))), processes)

    def remove(self) -> None:
        for folder in self._folders:
            _remove(folder)


class CgroupV2:
    """One hierarchy, below the agent's own group (systemd: Delegate=yes)."""

    kind = "cgroup2"
    per_process_memory = False

    def __init__(self, own: Path, label: str) -> None:
        """Raises OSError when the controllers cannot be handed down here."""
        offered = set((own / "cgroup.controllers").read_text().split())
        if not {"memory", "cpu", "pids"} <= offered:
            raise OSError(f"{own}: controllers missing")
        # A group that hands controllers down may hold no process itself: the agent moves into a leaf.
        leaf = own / f"kakehashi-agent-{label}"
        leaf.mkdir(exist_ok=True)
        me = str(os.getpid())
        (leaf / "cgroup.procs").write_text(me)
        try:
            (own / "cgroup.subtree_control").write_text("+memory +cpu +pids")
        except OSError:
            # Others share the group: it is not the agent's to divide.
            (own / "cgroup.procs").write_text(me)
            _remove(leaf)
            raise
        self._top = own / f"kakehashi-desktops-{label}"
        self._top.mkdir(exist_ok=True)
        (self._top / "cgroup.subtree_control").write_text("+memory +cpu +pids")

    def group(self, name: str, limits: DesktopLimits) -> DesktopGroup:
        """See `Limiter.group`."""
        folder = self._top / name
        folder.mkdir(exist_ok=True)
        memory = limits.memory_mib << 20
        (folder / "memory.max").write_text(str(memory))
        (folder / "memory.high").write_text(str(memory - memory // 16))
        _write_if_there(folder / "memory.swap.max", "0")
        (folder / "cpu.max").write_text(f"{limits.cpu_percent * _PERIOD_US // 100} {_PERIOD_US}")
        (folder / "pids.max").write_text(str(limits.tasks))
        return _Folders((folder,), folder, "memory.current", "inactive_file")

    def clear(self) -> None:
        """See `Limiter.clear`."""
        _clear(self._top)

    def close(self) -> None:
        """See `Limiter.close`. The leaf goes with whoever made the agent's own group."""
        self.clear()
        _remove(self._top)


class CgroupV1:
    """One folder in each of three hierarchies, below the agent's own group in each."""

    kind = "cgroup1"
    per_process_memory = False

    def __init__(self, own: dict[str, Path], label: str) -> None:
        """Raises OSError when a hierarchy is missing or may not be written."""
        self._tops: dict[str, Path] = {}
        for controller in _V1_CONTROLLERS:
            if controller not in own:
                raise OSError(f"controller {controller} missing")
            top = own[controller] / f"kakehashi-desktops-{label}"
            top.mkdir(exist_ok=True)
            self._tops[controller] = top
        _write_if_there(self._tops["memory"] / "memory.use_hierarchy", "1")

    def group(self, name: str, limits: DesktopLimits) -> DesktopGroup:
        """See `Limiter.group`."""
        folders = {controller: top / name for controller, top in self._tops.items()}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        (folders["memory"] / "memory.limit_in_bytes").write_text(str(limits.memory_mib << 20))
        _write_if_there(folders["memory"] / "memory.memsw.limit_in_bytes", str(limits.memory_mib << 20))
        (folders["cpu"] / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (folders["cpu"] / "cpu.cfs_quota_us").write_text(str(limits.cpu_percent * _PERIOD_US // 100))
        (folders["pids"] / "pids.max").write_text(str(limits.tasks))
        return _Folders(tuple(folders.values()), folders["memory"], "memory.usage_in_bytes", "total_inactive_file")

    def clear(self) -> None:
        """See `Limiter.clear`."""
        for top in self._tops.values():
            _clear(top)

    def close(self) -> None:
        """See `Limiter.close`."""
        self.clear()
        for top in self._tops.values():
            _remove(top)


class _NoGroup:
    join_files: tuple[Path, ...] = ()

    def usage(self) -> Usage | None:
        return None

    def remove(self) -> None:
        return None


class RlimitsOnly:
    """No cgroup to write: the sandbox's resource limits alone (memory per process, tasks per user)."""

    kind = "rlimits"
    per_process_memory = True

    def group(self, name: str, limits: DesktopLimits) -> DesktopGroup:
        """See `Limiter.group`: nothing to make."""
        del name, limits
        return _NoGroup()

    def clear(self) -> None:
        """See `Limiter.clear`: nothing was made."""

    def close(self) -> None:
        """See `Limiter.close`: nothing was made."""


def choose(
    label: str, *, mounts: Path = Path("/proc/self/mountinfo"), own: Path = Path("/proc/self/cgroup")
) -> Limiter:
    """Pick the strongest way this machine allows and log which. `label` tells agents on one machine apart."""
    limiter = _first(label, own_groups(mounts, own))
    if limiter.per_process_memory:
        _log.warning("limits chosen", kind=limiter.kind, why="no cgroup can be written here")
    else:
        _log.info("limits chosen", kind=limiter.kind)
    limiter.clear()
    return limiter


def _first(label: str, own: dict[str, Path]) -> Limiter:
    try:
        return CgroupV2(own[""], label)
    except (OSError, KeyError):
        pass
    try:
        return CgroupV1(own, label)
    except OSError:
        return RlimitsOnly()


def own_groups(mounts: Path, own: Path) -> dict[str, Path]:
    """The agent's own group folder per controller name; "" is the v2 hierarchy."""
    points: dict[str, Path] = {}
    for line in mounts.read_text().splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _source, options = right.split()[:3]
        if root != "/":
            continue
        if kind == "cgroup2":
            points[""] = Path(point)
        elif kind == "cgroup":
            points.update(dict.fromkeys(options.split(","), Path(point)))
    found: dict[str, Path] = {}
    for line in own.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in points:
                found[controller] = points[controller] / path.lstrip("/")
    return found


def _clear(top: Path) -> None:
    for entry in os.scandir(top):
        if entry.is_dir(follow_symlinks=False):
            _remove(Path(entry.path))


def _remove(folder: Path) -> None:
    """Remove an empty group; what still runs in it (only after an agent was killed) is ended first."""
    try:
        for pid in (folder / "cgroup.procs").read_text().split():
            if int(pid) != os.getpid():
                os.kill(int(pid), signal.SIGKILL)
    except (OSError, ValueError):
        pass
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass
    except OSError as error:
        # Busy for a moment after its last process ended; the next start of an agent clears it.
        _log.warning("cgroup left over", folder=str(folder), error=error.strerror)


def _write_if_there(path: Path, text: str) -> None:
    """Set a knob that some kernels are built without (swap accounting)."""
    try:
        if path.exists():
            path.write_text(text)
    except OSError as error:
        _log.debug("cgroup setting refused", file=path.name, error=error.strerror)
