"""`kakehashi policy whatif` as its own process against a running gateway with a real directory."""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway import middlewares, slow_turns
from gateway.handlers import policy as handlers
from tests.support.city import CHECKOUT
from tests.support.gateway import CLI_CONFIG, POLICY, Running

_POOL = {"name_ja": "庁内", "name_en": "Office", "kind": "agent", "pool_class": "office", "max_desktops": 5}


async def _whatif(office: Running, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    config = Path(str(office.settings.policy.path)).parent / "cli.toml"
    config.write_text(CLI_CONFIG.format(socket=office.settings.admin.socket), "utf-8")
    command = [sys.executable, "-m", "gateway.cli", "policy", "whatif", *arguments, "--config", str(config)]
    return await asyncio.to_thread(
        subprocess.run, command, cwd=CHECKOUT, input=given, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
async def office(gateway: Running) -> Running:
    """A gateway with an LGWAN pool that its policy opens to telework staff."""
    assert (await gateway.admin("PUT", "/pools/office", _POOL | {"zone": "lgwan"}))[0] == 200
    return gateway


async def test_who_loses_under_another_file_and_nothing_is_changed(office: Running, tmp_path: Path) -> None:
    wanted = tmp_path / "new.yaml"
    wanted.write_text(POLICY.replace("totp_age: {at_most: 12h}", 'hours: {windows: ["08:00-17:00"]}'), "utf-8")
    before = (await office.admin("GET", "/policy"))[1]
    ran = await _whatif(office, str(wanted), "--people", "--json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["against_version"] == before["version"] != found["version"]
    assert (found["gain_people"], found["lose_people"], found["pools"]) == (0, len(found["changes"][0]["named"]), 1)
    (lost,) = found["changes"]
    assert (lost["gain"], lost["pools"]) == (False, ["office"])
    assert "sato" in {person["username"] for person in lost["named"]}
    assert (await office.admin("GET", "/policy"))[1] == before

    shown = await _whatif(office, "-", "--against", str(wanted), given=POLICY)
    assert (shown.returncode, "増えること" in shown.stdout, "sato" in shown.stdout) == (0, True, False)
    same = await _whatif(office, "-", "-l", "en", given=POLICY)
    assert (same.returncode, same.stdout.splitlines()[2:]) == (0, ["Nothing changes for anybody."])


async def test_a_faulty_text_is_refused_by_the_gateway_too(office: Running) -> None:
    for body in ({"text": "format: 1"}, {"text": POLICY, "against": "rules: ["}, {"text": ""}, {"text": "x" * 300_001}):
        status, problem = await office.admin("POST", "/policy/what-if", body)
        assert (status, problem["code"]) == (400, "bad_request")
    assert (await office.admin("POST", "/policy/what-if", {"text": POLICY}))[0] == 200


async def test_work_that_goes_on_after_its_time_out_keeps_its_turn(
    office: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, threads, work = threading.Event(), 0, handlers._compared

    def stuck(*arguments: Any) -> Any:
        nonlocal threads
        threads += 1
        go_on.wait(30)
        return work(*arguments)

    monkeypatch.setattr(handlers, "_compared", stuck)
    monkeypatch.setattr(middlewares, "_BODY_SECONDS", 1.0)
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 0.2)
    try:
        for _ in range(slow_turns.OF_ONE[slow_turns.Slow.LOOKING] + 1):
            status, problem = await office.admin("POST", "/policy/what-if", {"text": POLICY})
            assert (status, problem["code"]) == (503, "busy")
        assert threads == slow_turns.OF_ONE[slow_turns.Slow.LOOKING]
    finally:
        go_on.set()
    monkeypatch.setattr(middlewares, "_BODY_SECONDS", 30.0)
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 10.0)
    assert (await office.admin("POST", "/policy/what-if", {"text": POLICY}))[0] == 200
