"""How the demo starts its programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.demo import children


def test_under_systemd_root_gets_a_cgroup_to_divide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_SYSTEMD", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    command = children.delegated(["kakehashi-agent", "--check"])
    assert command[0] == "systemd-run"
    assert {"--scope", "--property=Delegate=yes"} <= {*command}
    assert command[command.index("--") + 1 :] == ["kakehashi-agent", "--check"]


@pytest.mark.parametrize(("uid", "folder"), [(0, "nothing"), (1000, ".")], ids=["no systemd", "not root"])
def test_without_systemd_or_root_a_command_stays(
    uid: int, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_SYSTEMD", tmp_path / folder)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert children.delegated(["kakehashi-agent"]) == ["kakehashi-agent"]
