"""The walls around one desktop: pure construction of the argument list that starts it.

Counterpart: `agents.desktop`, which runs the result. Order of the walls, from the outside in:

1. `sh` puts itself into the desktop's cgroups (before anything is forked, so nothing escapes the count); without any,
   `nice` lets it give way to the gateway,
2. `nsenter` enters the prepared network namespace, when the settings name one,
3. `bwrap` (as root) makes mount, PID, IPC, UTS, cgroup and network namespaces; the root is an empty tmpfs into which
   only what is listed here is shown, so the agent's and the gateway's folders and sockets and all other homes do not
   exist inside; killing its first process ends everything in it,
4. `prlimit` sets the resource limits that are per process or per user number,
5. `setpriv` drops to the user's number without any capability or group and forbids gaining privileges. User namespaces
   stay possible: Chromium's own sandbox is made of them.

Nothing from the wire reaches this list but numbers, checked ids and two words from closed sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.accounts import Account
from agents.messages import Geometry, Keyboard
from agents.settings import DesktopLimits, Network

SHOWN_DESKTOP_DIR: Final = "/opt/kakehashi"
"""Where the session start files appear inside."""
RFB_DIR: Final = "/run/kakehashi"
LOCALE_DIR: Final = "/opt/kakehashi-locale"
RUNTIME_DIR: Final = "/tmp/session"  # noqa: S108 - on the desktop's own private tmpfs
DISPLAY: Final = ":1"

# What of /etc programs need to run; none of it is secret. Everything else of /etc does not exist inside.
_ETC: Final = (
    "X11",
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "dbus-1",
    "fonts",
    "gtk-2.0",
    "gtk-3.0",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mailcap",
    "mime.types",
    "os-release",
    "pango",
    "profile",
    "protocols",
    "services",
    "shells",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "vulkan",
    "xdg",
)
_RESOLVER: Final = ("host.conf", "resolv.conf", "gai.conf")
_MERGED: Final = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")

_GIVE_WAY: Final = "10"
"""Nice value for want of a cgroup: a tenth of the weight of the gateway and the rest of the machine, and not next to
nothing: whatever else runs there must not stop desktops either."""

# $1 is the number of files, then the files, then the command.
_JOIN: Final = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1" || exit 125; shift; n=$((n-1)); done; exec "$@"'


@dataclass(frozen=True, slots=True)
class Walls:
    """Everything a sandbox is made of. Paths are the host's."""

    person: Account
    home: Path
    rfb_dir: Path
    """Folder of the RFB socket, shown as RFB_DIR; owned by the user until the display answers."""
    etc_dir: Path
    """Folder with this desktop's passwd, group, hosts, nsswitch.conf and machine-id."""
    desktop_dir: Path
    locale_dir: Path
    software_paths: tuple[Path, ...]
    network: Network
    network_namespace: Path | None
    limits: DesktopLimits
    cgroup_files: tuple[Path, ...]
    """Files that take a process number to join the desktop's cgroups; empty when limits are rlimits only."""
    no_group: bool
    """No cgroup holds it: memory is limited process by process, and for processor time it gives way to all others."""


@dataclass(frozen=True, slots=True)
class SessionArguments:
    """What the start file inside is told."""

    geometry: Geometry
    keyboard: Keyboard
    locale: str
    time_zone: str
    grace_seconds: int


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a desktop in the foreground."""

    arguments: list[str]
    options: bytes
    """To be read by bwrap from `options_fd`: arguments are visible to the desktop, the host's paths need not be."""


def command(walls: Walls, session: SessionArguments, *, options_fd: int, info_fd: int) -> Command:
    """Give the command of a desktop; `info_fd` gets bwrap's facts as JSON."""
    uid = str(walls.person.uid)
    inner = [
        *("prlimit", *_rlimits(walls)),
        *("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"),
        *("--bounding-set", "-all", "--inh-caps", "-all", "--ambient-caps", "-all", "--no-new-privs"),
        *(f"{SHOWN_DESKTOP_DIR}/session.sh", str(session.geometry), session.keyboard, str(session.grace_seconds)),
    ]
    options = [*_namespaces(walls), *_view(walls), *_environment(walls, session), "--info-fd", str(info_fd)]
    enter = ["nsenter", f"--net={walls.network_namespace}", "--"] if walls.network_namespace else []
    give_way = ["nice", "-n", _GIVE_WAY] if walls.no_group else []
    join = ["/bin/sh", "-c", _JOIN, "join", str(len(walls.cgroup_files)), *map(str, walls.cgroup_files)]
    return Command(
        arguments=[*join, *enter, *give_way, "bwrap", "--args", str(options_fd), "--", *inner],
        options=b"".join(option.encode() + b"\0" for option in options),
    )


def _namespaces(walls: Walls) -> list[str]:
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "desktop"]
    if walls.network is Network.NONE:
        options.append("--unshare-net")
    # Ends with the agent, however the agent ends.
    return [*options, "--die-with-parent", "--new-session"]


def _view(walls: Walls) -> list[str]:
    limits = walls.limits
    view = ["--ro-bind", "/usr", "/usr"]
    for folder in ("/etc", "/home", "/opt", "/run", "/var", "/var/cache", "/etc/ssl"):
        # Left to itself, bwrap as root makes parents that only root may enter.
        view += ["--perms", "0755", "--dir", folder]
    for name in _MERGED:
        view += _top_folder(name)
    for name in _ETC if walls.network is Network.NONE else (*_ETC, *_RESOLVER):
        view += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name in ("passwd", "group", "hosts", "nsswitch.conf", "machine-id"):
        view += ["--ro-bind", str(walls.etc_dir / name), f"/etc/{name}"]
    view += ["--ro-bind-try", "/var/cache/fontconfig", "/var/cache/fontconfig"]
    view += ["--proc", "/proc", "--dev", "/dev"]
    view += ["--perms", "1777", "--size", str(limits.shm_mib << 20), "--tmpfs", "/dev/shm"]  # noqa: S108 - inside
    view += ["--perms", "1777", "--size", str(limits.tmp_mib << 20), "--tmpfs", "/tmp"]  # noqa: S108 - inside
    view += ["--perms", "1777", "--dir", "/tmp/.X11-unix"]  # noqa: S108 - inside
    view += _bound("--ro-bind", walls.desktop_dir, SHOWN_DESKTOP_DIR)
    for name in ("chromium", "chromium.d"):
        view += _bound("--ro-bind", walls.desktop_dir / "etc" / name, f"/etc/{name}")
    view += _bound("--ro-bind", walls.locale_dir, LOCALE_DIR)
    for path in walls.software_paths:
        view += _bound("--ro-bind", path, str(path))
    view += _bound("--bind", walls.rfb_dir, RFB_DIR)
    view += _bound("--bind", walls.home, walls.person.home)
    return [*view, "--symlink", "/run", "/var/run", "--remount-ro", "/", "--chdir", walls.person.home]


def _bound(option: str, source: Path, target: str) -> list[str]:
    return [option, str(source), target]


def _top_folder(name: str) -> list[str]:
    """/bin and its like: links into /usr on a merged machine, folders elsewhere, missing where there are none."""
    path = Path("/", name)
    if path.is_symlink():
        return ["--symlink", f"usr/{name}", f"/{name}"]
    return ["--ro-bind-try", f"/{name}", f"/{name}"]


def _rlimits(walls: Walls) -> list[str]:
    limits = walls.limits
    options = [
        "--core=0:0",
        f"--nproc={limits.tasks}:{limits.tasks}",
        f"--nofile={limits.open_files}:{limits.open_files}",
        f"--fsize={limits.file_mib << 20}:{limits.file_mib << 20}",
        "--memlock=65536:65536",
        "--msgqueue=0:0",
        "--nice=0:0",
        "--rtprio=0:0",
    ]
    if walls.no_group:
        # RLIMIT_DATA and not RLIMIT_AS: a browser reserves terabytes of addresses that it never uses.
        options.append(f"--data={limits.memory_mib << 20}:{limits.memory_mib << 20}")
    return options


def _environment(walls: Walls, session: SessionArguments) -> list[str]:
    person = walls.person
    share = f"{SHOWN_DESKTOP_DIR}/share:/usr/local/share:/usr/share"
    values = {
        "HOME": person.home,
        "USER": person.login,
        "LOGNAME": person.login,
        "SHELL": "/bin/bash",
        "PATH": f"/usr/local/bin:/usr/bin:/bin:{SHOWN_DESKTOP_DIR}/bin",
        "LANG": session.locale,
        "LOCPATH": LOCALE_DIR,
        "TZ": session.time_zone,
        "DISPLAY": DISPLAY,
        "XAUTHORITY": f"{RUNTIME_DIR}/xauthority",
        "XDG_RUNTIME_DIR": RUNTIME_DIR,
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME_DIR}/bus",
        "XDG_CONFIG_DIRS": f"{SHOWN_DESKTOP_DIR}/xdg:/etc/xdg",
        "XDG_DATA_DIRS": share,
        "XDG_CURRENT_DESKTOP": "Kakehashi",
        "XDG_SESSION_TYPE": "x11",
        "GTK2_RC_FILES": f"{SHOWN_DESKTOP_DIR}/etc/gtkrc-2.0",
        "XCURSOR_THEME": "Adwaita",
        "XCURSOR_SIZE": "24",
        "GTK_IM_MODULE": "fcitx",
        # GTK waits for the input method's word on each key. Otherwise keys it does not want overtake or follow text it
        # commits: a fast typist and "type here and send" get their characters in another order.
        "FCITX_ENABLE_SYNC_MODE": "1",
        "QT_IM_MODULE": "fcitx",
        "XMODIFIERS": "@im=fcitx",
        "GSETTINGS_BACKEND": "keyfile",
        # No accessibility bus and no remote file systems: nothing to start, nothing to wait for.
        "NO_AT_BRIDGE": "1",
        "GIO_USE_VFS": "local",
    }
    options = ["--clearenv"]
    for name, value in values.items():
        options += ["--setenv", name, value]
    return options


def nsswitch_text(network: Network) -> str:
    """/etc/nsswitch.conf of the sandbox: local files, and DNS where there is a network."""
    hosts = "files" if network is Network.NONE else "files dns"
    return f"passwd: files\ngroup: files\nhosts: {hosts}\nservices: files\nprotocols: files\n"


def hosts_text(extra: Sequence[str] = ()) -> str:
    """/etc/hosts of the sandbox."""
    return "\n".join(["127.0.0.1 localhost desktop", "::1 localhost", *extra, ""])
