"""Choice and layout of limits, on folders shaped like the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.limits import RlimitsOnly, choose, own_groups, usage_of_user
from agents.settings import DesktopLimits

LIMITS = DesktopLimits(memory_mib=512, cpu_percent=150, tasks=300)


def _mounts(tmp_path: Path, *lines: str) -> tuple[Path, Path]:
    mounts, own = tmp_path / "mountinfo", tmp_path / "own"
    mounts.write_text("".join(line + "\n" for line in lines))
    own.write_text("4:memory:/x\n2:cpu,cpuacct:/x\n1:pids:/\n0::/service\n")
    return mounts, own


def _v2(tmp_path: Path) -> tuple[Path, Path, Path]:
    root = tmp_path / "unified"
    (root / "service").mkdir(parents=True)
    (root / "service" / "cgroup.controllers").write_text("cpu io memory pids\n")
    (root / "service" / "cgroup.procs").write_text("")
    (root / "service" / "cgroup.subtree_control").write_text("")
    mounts, own = _mounts(tmp_path, f"30 20 0:26 / {root} rw - cgroup2 cgroup2 rw")
    return root / "service", mounts, own


def test_own_groups_are_found_in_both_versions(tmp_path: Path) -> None:
    mounts, own = _mounts(
        tmp_path,
        "30 20 0:26 / /cg/unified rw - cgroup2 cgroup2 rw",
        "31 20 0:27 / /cg/memory rw shared:1 - cgroup cgroup rw,memory",
        "32 20 0:28 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct",
        "33 20 0:29 /sub /elsewhere rw - cgroup cgroup rw,pids",
        "34 20 0:30 / / rw - ext4 /dev/vda rw",
    )
    assert own_groups(mounts, own) == {
        "": Path("/cg/unified/service"),
        "memory": Path("/cg/memory/x"),
        "cpu": Path("/cg/cpu/x"),
        "cpuacct": Path("/cg/cpu/x"),
    }


def test_version_two_comes_first_and_gets_all_limits(tmp_path: Path) -> None:
    service, mounts, own = _v2(tmp_path)
    limiter = choose("abc", mounts=mounts, own=own)
    assert limiter.kind == "cgroup2"
    assert (service / "kakehashi-agent-abc" / "cgroup.procs").read_text() == str(os.getpid())
    assert (service / "cgroup.subtree_control").read_text() == "+memory +cpu +pids"
    group = limiter.group("dsk_1", LIMITS)
    folder = service / "kakehashi-desktops-abc" / "dsk_1"
    written = {file.name: file.read_text() for file in folder.iterdir()}
    assert written == {
        "memory.max": str(512 << 20),
        "memory.high": str(480 << 20),
        "cpu.max": "150000 100000",
        "pids.max": "300",
    }
    assert group.join_files == (folder / "cgroup.procs",)
    assert group.usage() is None
    (folder / "memory.current").write_text("1000\n")
    (folder / "memory.stat").write_text("anon 700\ninactive_file 300\n")
    (folder / "cgroup.procs").write_text("7\n8\n")
    usage = group.usage()
    assert usage is not None
    assert (usage.memory_bytes, usage.processes) == (700, 2)


def test_group_shared_with_others_is_left_alone(tmp_path: Path) -> None:
    service, mounts, own = _v2(tmp_path)
    (service / "cgroup.subtree_control").unlink()
    (service / "cgroup.subtree_control").mkdir()  # the kernel's "busy": writing fails
    assert choose("abc", mounts=mounts, own=own).kind == "rlimits"
    assert (service / "cgroup.procs").read_text() == str(os.getpid())


def test_missing_controllers_fall_back(tmp_path: Path) -> None:
    service, mounts, own = _v2(tmp_path)
    (service / "cgroup.controllers").write_text("hugetlb\n")
    assert choose("abc", mounts=mounts, own=own).kind == "rlimits"
    assert not list(service.glob("kakehashi*"))


def test_without_groups_nothing_is_made() -> None:
    limiter = RlimitsOnly()
    group = limiter.group("dsk_1", LIMITS)
    assert group.join_files == ()
    assert group.usage() is None
    group.remove()
    limiter.close()
    assert limiter.per_process_memory


def test_usage_is_measured_by_user_number() -> None:
    mine = usage_of_user(os.geteuid())
    assert mine.processes >= 1
    assert mine.memory_bytes > 1 << 20
    assert usage_of_user(None).processes == 0


@pytest.mark.skipif(not Path("/sys/fs/cgroup/pids").is_dir() or os.geteuid() != 0, reason="needs a writable cgroup v1")
def test_version_one_on_this_machine() -> None:
    limiter = choose("unittest")
    if limiter.kind != "cgroup1":
        pytest.skip("this machine has another kind")
    group = limiter.group("dsk_1", LIMITS)
    by_name = {file.parent.parent.parent: file.parent for file in group.join_files}
    read = {file.name: file.read_text().strip() for folder in by_name.values() for file in folder.glob("*.max")}
    assert read["pids.max"] == "300"
    assert [f for f in by_name.values() if (f / "memory.limit_in_bytes").exists()]
    group.remove()
    limiter.close()
    assert not [folder for folder in by_name.values() if folder.exists()]
