"""Makes sure that the machine is fit before the agent listens: root, programs, folders, numbers, locale, files.

Counterpart: `agents.__main__`. Every fault is a ConfigError that says what to do, before any desktop runs.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

from agents.settings import AgentSettings
from common.errors import ConfigError
from common.log import get_logger

_PROGRAMS: Final = {
    "bwrap": "bubblewrap",
    "setpriv": "util-linux",
    "prlimit": "util-linux",
    "nsenter": "util-linux",
    "nice": "coreutils",
    "mcookie": "util-linux",
    "xauth": "xauth",
    "Xtigervnc": "tigervnc-standalone-server",
    "setxkbmap": "x11-xkb-utils",
    "xsetroot": "x11-xserver-utils",
    "dbus-daemon": "dbus",
    "openbox": "openbox",
    "localedef": "libc-bin",
}
_SHOWN: Final = (Path("/usr"), Path("/etc"), Path("/var/cache/fontconfig"))
"""What a sandbox shows of the host: none of the agent's folders may lie in it."""
_log = get_logger(__name__)


def check_machine(settings: AgentSettings) -> None:
    """Refuse to run where the walls could not be built."""
    if os.geteuid() != 0:
        raise ConfigError("run kakehashi-agent as root: it gives every desktop a user number of its own")
    missing = sorted({package for program, package in _PROGRAMS.items() if shutil.which(program) is None})
    if missing:
        raise ConfigError(f"programs missing; apt-get install --no-install-recommends {' '.join(missing)}")
    numbers = range(settings.uid_base, settings.uid_base + settings.uid_count)
    taken = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid in numbers]
    if taken or settings.socket_owner_uid in numbers:
        who = taken[0] if taken else "the gateway"
        raise ConfigError(f"uid_base/uid_count: the range holds the number of {who}; choose a free range")
    if settings.network_namespace is not None and not settings.network_namespace.exists():
        raise ConfigError(f"network_namespace: {settings.network_namespace} does not exist")
    _check_apart(settings)


def prepare_folders(settings: AgentSettings) -> int:
    """Make the folders, empty the runtime one, take the lock; give the lock's descriptor (held while it is open)."""
    door = settings.socket_path.parent
    if not door.exists():
        # The gateway must be able to walk to the socket, whatever the umask; the socket itself is closed to all others.
        door.mkdir(parents=True)
        door.chmod(0o711)
    for folder in (settings.state_dir, settings.homes_dir, settings.runtime_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != 0:
            raise ConfigError(f"{folder}: must be a folder of root")
        folder.chmod(0o700)
    lock = os.open(settings.state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise ConfigError(f"{settings.state_dir}: another agent runs on this folder") from None
    for entry in os.scandir(settings.runtime_dir):
        # Left by an agent that was killed; its desktops died with it.
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
    return lock


def copy_session_files(settings: AgentSettings) -> Path:
    """Copy what desktops are shown into the state folder, readable for all; give the copy.

    A checkout may be closed to other users, or change while desktops run.
    """
    source, target = settings.desktop_dir, settings.state_dir / "desktop"
    if not (source / "session.sh").is_file():
        raise ConfigError(f"desktop_dir: {source} holds no session files")
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)
    for path in (target, *target.rglob("*")):
        executable = path.is_dir() or path.lstat().st_mode & stat.S_IXUSR
        if not path.is_symlink():
            os.chown(path, 0, 0)
            path.chmod(0o755 if executable else 0o644)
    return target


def build_locale(settings: AgentSettings) -> Path:
    """Give a folder with the desktops' locale, generated the first time (a second); nothing on the machine changes."""
    folder = settings.state_dir / "locale"
    language, _, charset = settings.locale.partition(".")
    if (folder / settings.locale / "LC_MESSAGES").is_dir():
        return folder
    if not Path("/usr/share/i18n/locales", language).exists():
        raise ConfigError(f"locale: no source for {language}; apt-get install --no-install-recommends locales")
    folder.mkdir(mode=0o755, exist_ok=True)
    unfinished = folder / "unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    command = ["localedef", "--no-archive", "-i", language, "-f", charset, str(unfinished)]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if not (unfinished / "LC_MESSAGES").is_dir():
        raise ConfigError(f"locale: localedef failed: {result.stderr.decode(errors='replace')[-300:]}")
    for path in (folder, unfinished, *unfinished.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    unfinished.rename(folder / settings.locale)
    _log.info("locale generated", locale=settings.locale)
    return folder


def _check_apart(settings: AgentSettings) -> None:
    """No folder of the agent inside what desktops are shown, and nothing shown that holds such a folder."""
    own = {
        "state_dir": settings.state_dir,
        "homes_dir": settings.homes_dir,
        "runtime_dir": settings.runtime_dir,
        "socket_path": settings.socket_path,
    }
    for name, path in own.items():
        for shown in (*_SHOWN, *settings.software_paths):
            real, seen = path.resolve(), shown.resolve()
            if real.is_relative_to(seen) or seen.is_relative_to(real):
                raise ConfigError(f"{name}: {path} and {shown}, which desktops see, must not lie in each other")
