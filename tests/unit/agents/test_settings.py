"""Settings of the agent: defaults hold, contradictions are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.__main__ import AgentFile
from agents.settings import AgentSettings, Network
from common.errors import ConfigError
from common.settings import load


def test_defaults_are_safe() -> None:
    settings = AgentSettings()
    assert settings.network is Network.NONE
    assert settings.software_paths == ()
    assert (settings.desktop_dir / "session.sh").is_file()


@pytest.mark.parametrize(
    "fields",
    [
        {"state_dir": "relative"},
        {"software_paths": ["opt"]},
        {"network": "namespace"},
        {"network_namespace": "/run/netns/office"},
        {"network": "internet"},
        {"uid_base": 0},
        {"locale": "../../etc"},
        {"time_zone": "/etc/passwd"},
        {"limits": {"memory_mib": 1}},
        {"socket_owner": 5},
    ],
    ids=str,
)
def test_contradictions_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AgentSettings.model_validate(fields)


def test_every_setting_is_described() -> None:
    for model in (AgentSettings, AgentSettings().limits.__class__):
        assert all(field.description for field in model.model_fields.values())


def test_misspelt_setting_names_the_right_one(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("[agent]\nsocket_pth = '/x'\n")
    with pytest.raises(ConfigError, match="socket_path"):
        load(AgentFile, file, env={})


def test_command_tells_a_bad_file_by_its_status(tmp_path: Path) -> None:
    """As a process of its own: it sets up logging for its whole process."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agents", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    bad = run("--config", str(tmp_path / "missing.toml"))
    assert (bad.returncode, "cannot be read" in bad.stderr) == (1, True), bad
    usage = run("--help")
    assert (usage.returncode, "--config" in usage.stdout) == (0, True), usage
