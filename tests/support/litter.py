"""What a program leaves on the machine, whoever else is at work there: it has a private view of the folders all share.

Folders for passing things begin empty. Of the others only what is written there is kept apart, and the machine's own
stay as they were. Needs root.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_EMPTY: Final = ("/tmp", "/var/tmp", "/dev/shm", "/run")
_LAYERED: Final = ("/etc", "/home", "/opt", "/root", "/srv", "/var")
"""Homes among them. Where the kernel has no overlays these are not watched."""
_SCRIPT: Final = f"""
set -eu
mount -t tmpfs -o mode=755 none /mnt
for place in {" ".join(_LAYERED)}; do
  [ -d "$place" ] || continue
  mkdir -p "/mnt/work$place" "/mnt/written$place"
  chmod --reference="$place" "/mnt/written$place"
  mount -t overlay -o "lowerdir=$place,upperdir=/mnt/written$place,workdir=/mnt/work$place" none "$place" || true
done
for place in {" ".join(_EMPTY)}; do
  mkdir -p "/mnt/empty$place"
  chmod 1777 "/mnt/empty$place"
done
for kept in "$@"; do
  mkdir -p "/mnt/empty$kept"
  mount --bind "$kept" "/mnt/empty$kept"
done
for place in {" ".join(_EMPTY)}; do
  mount --rbind "/mnt/empty$place" "$place"
done
echo ready
exec cat
"""


class PrivateView:
    """A machine for one program, as far as files go."""

    def __init__(self, holder: int, kept: tuple[Path, ...]) -> None:
        self._holder = holder
        self._kept = kept

    @property
    def enter(self) -> list[str]:
        """What to put before a command so that it runs here; it keeps its process id."""
        return ["nsenter", f"--mount=/proc/{self._holder}/ns/mnt", "--"]

    def left(self) -> list[Path]:
        """Everything that was written and is still there, but for the folders that were to be kept."""
        root = Path("/proc", str(self._holder), "root", "mnt")
        found = [
            Path("/", path.relative_to(top))
            for top, places in ((root / "empty", _EMPTY), (root / "written", _LAYERED))
            for place in places
            for path in (top / place[1:]).rglob("*")
        ]
        return [
            path
            for path in found
            if not any(path.is_relative_to(kept) or kept.is_relative_to(path) for kept in self._kept)
        ]


@contextmanager
def private_view(*kept: Path) -> Iterator[PrivateView]:
    """Folders `kept` are the real ones. Goes with the holder of the view; nobody may run in it then."""
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "sh", *map(str, kept)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        yield PrivateView(holder.pid, kept)
