"""What the agent checks and makes before it listens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.preflight import build_locale, check_machine, copy_session_files, prepare_folders
from agents.settings import AgentSettings
from common.errors import ConfigError
from tests.support.agent import needs_root

pytestmark = needs_root


def _settings(folder: Path, **over: object) -> AgentSettings:
    fields: dict[str, object] = {
        "socket_path": folder / "control.sock",
        "state_dir": folder / "state",
        "homes_dir": folder / "homes",
        "runtime_dir": folder / "run",
        "uid_base": 300_000,
    }
    return AgentSettings.model_validate({**fields, **over})


def test_fit_machine_passes(tmp_path: Path) -> None:
    check_machine(_settings(tmp_path))


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"uid_base": 65_000}, "range holds"),
        ({"socket_owner_uid": 300_001}, "range holds"),
        ({"homes_dir": "/usr/local/homes"}, "must not lie"),
        ({"state_dir": "/etc/agent"}, "must not lie"),
        ({"software_paths": ["/"]}, "must not lie"),
        ({"network": "namespace", "network_namespace": "/run/netns/none-such"}, "does not exist"),
    ],
)
def test_unfit_settings_say_what_to_do(tmp_path: Path, over: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_machine(_settings(tmp_path, **over))


def test_missing_programs_name_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"apt-get install .*bubblewrap.*tigervnc-standalone-server"):
        check_machine(_settings(tmp_path))


def test_folders_are_private_emptied_and_locked(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    (settings.runtime_dir / "dsk_old" / "rfb").mkdir(parents=True)
    lock = prepare_folders(settings)
    assert list(settings.runtime_dir.iterdir()) == []
    for folder in (settings.state_dir, settings.homes_dir, settings.runtime_dir):
        assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ConfigError, match="another agent"):
        prepare_folders(settings)
    os.close(lock)
    os.close(prepare_folders(settings))


def test_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    settings.state_dir.mkdir()
    os.chown(settings.state_dir, 1234, 1234)
    with pytest.raises(ConfigError, match="folder of root"):
        prepare_folders(settings)


def test_session_files_are_copied_readable_whatever_the_checkout_allows(tmp_path: Path) -> None:
    settings = _settings(tmp_path, desktop_dir=tmp_path / "files")
    with pytest.raises(ConfigError, match="no session files"):
        copy_session_files(settings)
    (tmp_path / "files" / "bin").mkdir(parents=True, mode=0o700)
    (tmp_path / "files" / "session.sh").write_text("#!/bin/sh\n")
    (tmp_path / "files" / "session.sh").chmod(0o700)
    (tmp_path / "files" / "bin" / "plain").touch(0o600)
    settings.state_dir.mkdir()
    for _ in range(2):
        copy = copy_session_files(settings)
        assert (copy / "session.sh").stat().st_mode & 0o777 == 0o755
        assert (copy / "bin").stat().st_mode & 0o777 == 0o755
        assert (copy / "bin" / "plain").stat().st_mode & 0o777 == 0o644


def test_locale_is_generated_once_and_unknown_ones_are_told(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    settings.state_dir.mkdir()
    folder = build_locale(settings)
    made = (folder / "ja_JP.UTF-8" / "LC_TIME").stat().st_mtime_ns
    assert build_locale(settings) == folder
    assert (folder / "ja_JP.UTF-8" / "LC_TIME").stat().st_mtime_ns == made
    with pytest.raises(ConfigError, match="apt-get install"):
        build_locale(_settings(tmp_path, locale="xx_XX.UTF-8"))
