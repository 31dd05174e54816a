"""A real QEMU with its built-in VNC server and no disk: BIOS text on 720x400. Counterpart: relay tests."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.xvnc import end, wait_for


@dataclass(frozen=True)
class Qemu:
    """One running machine."""

    socket: Path
    pid: int


@contextmanager
def run_qemu(folder: Path, *, options: str = "", extra: Sequence[str] = ()) -> Iterator[Qemu]:
    """Start a machine in `folder`. `options` are further ones of -vnc, `extra` further arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "qemu.sock"
    with (folder / "qemu.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "qemu-system-x86_64",
                *("-M", "pc,accel=tcg", "-m", "32", "-nodefaults", "-vga", "std", "-display", "none"),
                *("-serial", "none", "-vnc", f"unix:{socket}{options}"),
                *extra,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(socket, process)
        yield Qemu(socket, process.pid)
    finally:
        end(process)
