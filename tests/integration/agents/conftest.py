"""Real agents for the tests of this folder. They need root, as the agent does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.preflight import build_locale
from agents.settings import AgentSettings
from tests.support.agent import Agent, running_agent


@pytest.fixture(scope="session", autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.skip("the agent gives user numbers, which only root may")


@pytest.fixture(scope="session")
def locale_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a generated locale, which takes a second to make."""
    folder = tmp_path_factory.mktemp("locale")
    build_locale(AgentSettings(state_dir=folder))
    return folder


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory, locale_state: Path) -> Iterator[Agent]:
    """An agent for a module's tests."""
    limits = "[agent.limits]\nmemory_mib = 512\ntasks = 300"
    with running_agent(tmp_path_factory.mktemp("agent"), limits, locale_from=locale_state) as running:
        yield running


@pytest.fixture
def own_agent(tmp_path: Path, locale_state: Path) -> Iterator[Agent]:
    """An agent for one test, which may harm it."""
    with running_agent(tmp_path / "host", "stop_timeout_seconds = 2", locale_from=locale_state) as running:
        yield running
