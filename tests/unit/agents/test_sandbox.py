"""The argument list of a sandbox: what must be in it, and what must not be seen from inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.accounts import account
from agents.messages import Geometry, Keyboard
from agents.sandbox import Command, SessionArguments, Walls, command, hosts_text, nsswitch_text
from agents.settings import DesktopLimits, Network

WALLS = Walls(
    person=account("sato", "佐藤", 70_001),
    home=Path("/srv/homes/usr_1"),
    rfb_dir=Path("/srv/run/dsk_1/rfb"),
    etc_dir=Path("/srv/run/dsk_1/etc"),
    desktop_dir=Path("/srv/state/desktop"),
    locale_dir=Path("/srv/state/locale"),
    software_paths=(Path("/opt/office"),),
    network=Network.NONE,
    network_namespace=None,
    limits=DesktopLimits(memory_mib=1024, tasks=500),
    cgroup_files=(Path("/sys/fs/cgroup/x/cgroup.procs"),),
    no_group=False,
)
SESSION = SessionArguments(Geometry(1280, 800), Keyboard.JP, "ja_JP.UTF-8", "Asia/Tokyo", 5)


def _build(walls: Walls = WALLS) -> Command:
    return command(walls, SESSION, options_fd=10, info_fd=11)


def _options(walls: Walls = WALLS) -> list[str]:
    return _build(walls).options.decode().rstrip("\0").split("\0")


def test_walls_stand_in_the_right_order() -> None:
    words = _build().arguments
    assert words[0] == "/bin/sh"
    assert words.index("/sys/fs/cgroup/x/cgroup.procs") < words.index("bwrap") < words.index("prlimit")
    assert words.index("prlimit") < words.index("setpriv") < words.index("/opt/kakehashi/session.sh")
    assert words[-3:] == ["1280x800", "jp", "5"]
    assert words[words.index("--reuid") + 1] == words[words.index("--regid") + 1] == "70001"
    assert {"--clear-groups", "--no-new-privs", "--nproc=500:500", "--core=0:0"} <= set(words)
    assert words[words.index("--bounding-set") + 1] == "-all"


def test_namespaces_are_the_desktops_own_and_die_with_the_agent() -> None:
    options = _options()
    for wanted in (
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-net",
        "--die-with-parent",
        "--clearenv",
    ):
        assert wanted in options


def test_paths_of_the_host_are_no_arguments_a_desktop_could_read() -> None:
    assert not [word for word in _build().arguments if "/srv" in word]


def test_only_home_and_socket_folder_can_be_written() -> None:
    options = _options()
    writable = [
        options[i + 1 : i + 3] for i, word in enumerate(options) if word in ("--bind", "--dev-bind", "--bind-try")
    ]
    assert writable == [["/srv/run/dsk_1/rfb", "/run/kakehashi"], ["/srv/homes/usr_1", "/home/sato"]]
    assert options[options.index("--remount-ro") + 1] == "/"


@pytest.mark.parametrize("never", ["/", "/home", "/root", "/run", "/etc", "/var", "/tmp", "/sys", "/proc", "/dev"])
def test_whole_trees_of_the_host_are_never_shown(never: str) -> None:
    options = _options()
    sources = {
        options[i + 1] for i, word in enumerate(options) if word.startswith(("--bind", "--ro-bind", "--dev-bind"))
    }
    assert never not in sources


def test_network_modes() -> None:
    assert "/etc/resolv.conf" not in _options()
    host = replace(WALLS, network=Network.HOST)
    assert "--unshare-net" not in _options(host)
    assert "/etc/resolv.conf" in _options(host)
    office = replace(WALLS, network=Network.NAMESPACE, network_namespace=Path("/run/netns/office"))
    words = _build(office).arguments
    assert words[words.index("nsenter") + 1] == "--net=/run/netns/office"
    assert words.index("nsenter") < words.index("bwrap")
    assert "--unshare-net" not in _options(office)
    assert nsswitch_text(Network.HOST) != nsswitch_text(Network.NONE)
    assert hosts_text(["10.0.0.1 files"]).endswith("10.0.0.1 files\n")


def test_memory_is_limited_per_process_only_where_no_group_does_it() -> None:
    assert not [word for word in _build().arguments if word.startswith("--data")]
    alone = _build(replace(WALLS, no_group=True, cgroup_files=()))
    assert f"--data={1024 << 20}:{1024 << 20}" in alone.arguments


def test_without_a_group_it_gives_way_for_processor_time_from_the_first_process_on() -> None:
    words = _build().arguments
    assert "nice" not in words
    assert {"--nice=0:0", "--rtprio=0:0"} <= set(words), "nobody inside takes a higher priority"
    alone = _build(replace(WALLS, no_group=True, cgroup_files=())).arguments
    assert alone[alone.index("nice") : alone.index("bwrap") + 1] == ["nice", "-n", "10", "bwrap"]


def test_options_fit_a_pipe() -> None:
    assert len(_build().options) < 32 * 1024
