"""The demo's folder: what lies where, and whose it is. Kept between runs, so that an enrolled phone keeps working.

Counterpart: `gateway.demo.run`. When the demo is root, the gateway and the directory run as two accounts of their own
(numbers without a name in /etc/passwd), and each owns only its own part of the folder.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.demo.children import Account

GATEWAY_UID: Final = 60_801
DIRECTORY_UID: Final = 60_802
_OTHERS_ENTER: Final = 0o001
_OTHERS_READ: Final = 0o004
_LONGEST_SOCKET_PATH: Final = 107
"""Bytes in sockaddr_un.sun_path, without the closing zero."""
_LONGEST_DESKTOP_SOCKET: Final = len("/agent/run/" + "d" * 40 + "/rfb.sock")


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Paths inside the demo's folder, and the accounts of the programs (None: ours, because we are not root)."""

    root: Path
    gateway_account: Account | None
    directory_account: Account | None

    @property
    def pki(self) -> Path:
        """The CA; only the demo itself reads it."""
        return self.root / "pki"

    @property
    def gateway(self) -> Path:
        """The gateway's own: database, keys, certificate, admin socket."""
        return self.root / "gateway"

    @property
    def directory(self) -> Path:
        """slapd's own: configuration, database, certificate."""
        return self.root / "directory"

    @property
    def agent(self) -> Path:
        """The session host's own: user numbers, homes, sockets."""
        return self.root / "agent"

    @property
    def logs(self) -> Path:
        """One log a program."""
        return self.root / "log"

    @property
    def ca_certificate(self) -> Path:
        """A copy of the CA's certificate that everybody may read, to import into a browser."""
        return self.root / "ca.pem"


def locate(root: Path, *, checkout: Path) -> DemoFolder:
    """Decide the accounts. They are our own when we are not root, or when others cannot read the program."""
    own_accounts = os.geteuid() == 0 and readable_by_others(checkout, Path(sys.executable), Path(sys.base_prefix), root)
    return DemoFolder(
        root=root,
        gateway_account=Account(GATEWAY_UID) if own_accounts else None,
        directory_account=Account(DIRECTORY_UID) if own_accounts else None,
    )


def readable_by_others(*paths: Path) -> bool:
    """Every folder down to each path may be entered by anybody, and what exists there may be read."""
    for path in paths:
        resolved = path.resolve()
        if any(folder.exists() and not folder.stat().st_mode & _OTHERS_ENTER for folder in resolved.parents):
            return False
        if resolved.exists() and not resolved.stat().st_mode & _OTHERS_READ:
            return False
    return True


def prepare(place: DemoFolder, *, fresh: bool) -> None:
    """Make the inner folders; `fresh` removes what former runs left (enrolments, homes, sessions)."""
    if fresh:
        for left in place.root.iterdir():  # the folder itself stays: it carries the lock
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    for folder in (place.pki, place.gateway, place.directory, place.agent, place.logs):
        # The agent makes its own inner folders; desktop users pass through this one to reach their homes.
        folder.mkdir(mode=0o755 if folder == place.agent else 0o700, exist_ok=True)


def hand_over(place: DemoFolder) -> None:
    """Give each program's folder to its account, last thing before it starts."""
    for folder, account in ((place.gateway, place.gateway_account), (place.directory, place.directory_account)):
        if account is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, account.uid, account.uid, follow_symlinks=False)


def path_fault(root: Path) -> str | None:
    """Why this place cannot hold the demo (unix socket paths have a length limit), or None."""
    length = len(os.fsencode(root)) + _LONGEST_DESKTOP_SOCKET
    if length > _LONGEST_SOCKET_PATH:
        too_many = length - _LONGEST_SOCKET_PATH
        return f"the path {root} is {too_many} bytes too long for unix sockets: move the checkout to a shorter one"
    return None
