"""`kakehashi policy explain USER POOL` against a running gateway with a real directory."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.policy import policy
from tests.support.gateway import CLI_CONFIG, run_gateway, settings
from tests.support.slapd import Slapd

_POOL = {
    "name_ja": "庁内", "name_en": "Office", "kind": "agent", "pool_class": "office", "max_desktops": 5, "zone": "lgwan",
}  # fmt: skip
RULES = """
format: 1
name: {ja: 試験, en: Test}
networks:
  annex: {name: {ja: 別館, en: Annex}, cidrs: ["10.31.0.0/24"]}
rules:
  - id: T-01
    effect: permit
    name: {ja: 日中, en: By day}
    when: {groups: [telework], hours: {windows: ["08:30-17:15"]}}
  - id: T-03
    effect: permit
    name: {ja: 三日まで, en: Three days}
    when: {groups: [telework], hours: {windows: ["20:00-22:00"]}, days_a_week: 3}
  - id: T-02
    effect: permit
    name: {ja: 別館から, en: From the annex}
    when: {groups: [telework], networks: [annex]}
"""


@pytest.fixture
async def config(tmp_path: Path, directory: Slapd) -> AsyncIterator[Path]:
    """The settings file of a command; a gateway with these rules answers it."""
    own = settings(tmp_path / "gateway", directory, f"sqlite:///{tmp_path / 'kakehashi.db'}")
    (tmp_path / "gateway" / "policy.yaml").write_text(RULES, "utf-8")
    written = tmp_path / "cli.toml"
    written.write_text(CLI_CONFIG.format(socket=own.admin.socket), "utf-8")
    async with run_gateway(own) as running:
        assert (await running.admin("PUT", "/pools/office", _POOL))[0] == 200
        yield written


async def explain(config: Path, *arguments: str) -> tuple[int, dict[str, str], str]:
    """Somebody at the machine's terminal: exit code, the lines of the verdict by their names, everything."""
    command = ["explain", *arguments, "-l", "en", "--config", str(config)]
    ran = await asyncio.to_thread(lambda: CliRunner().invoke(policy, command))
    said = (line.partition(": ") for line in ran.output.splitlines())
    return ran.exit_code, {name: value for name, _, value in said}, ran.output


async def test_it_says_which_rule_lets_somebody_in_and_what_is_missing(config: Path) -> None:
    """`--at` is the time in Tokyo."""
    status, said, _ = await explain(config, "sato", "office", "--at", "2026-06-03T08:30:00")
    assert (status, said["sato → office"]) == (0, "allowed")
    assert said["Decided by"].endswith("T-01")
    assert said["Judged at"] == "2026-06-03 08:30 (JST)"

    status, said, text = await explain(config, "sato", "office", "--at", "2026-06-03T08:29:59")
    assert (status, said["sato → office"], said["Decided by"]) == (1, "refused", "-")
    assert said["Reason"].endswith("[outside_hours]")
    assert said["Available from"] == "2026-06-03 08:30 (JST)"
    assert re.search(r"^T-01 .* no +every day, 08:30-17:15$", text, re.MULTILINE)
    assert re.search(r"^T-02 .* unknown +\? source network is annex$", text, re.MULTILINE), "nobody said from where"

    status, said, _ = await explain(config, "takahashi", "office", "--at", "2026-06-03T12:00:00")
    assert (status, said["takahashi → office"]) == (1, "refused")
    assert said["Reason"].endswith("[not_assigned]")


async def test_from_is_the_address_the_person_comes_from(config: Path) -> None:
    night = ("sato", "office", "--at", "2026-06-03T23:00:00", "--from")
    status, said, _ = await explain(config, *night, "10.31.0.9")
    assert (status, said["sato → office"]) == (0, "allowed")
    assert said["Decided by"].endswith("T-02")
    status, said, text = await explain(config, *night, "10.32.0.9")
    assert (status, said["sato → office"]) == (1, "refused")
    assert re.search(r"^T-02 .* no +source network is annex$", text, re.MULTILINE)


async def test_days_worked_are_those_of_that_week_before(config: Path) -> None:
    """2026-06-04 is a Thursday; nothing is recorded of that week."""
    evening = ("sato", "office", "--at", "2026-06-04T21:00:00")
    for arguments, allowed in (((), True), (("--days-worked", "2"), True), (("--days-worked", "3"), False)):
        status, said, text = await explain(config, *evening, *arguments)
        assert (status == 0, said["sato → office"] == "allowed") == (allowed, allowed), text
    assert re.search(r"^T-03 .* no +at most 3 days this week, today included$", text, re.MULTILINE)
    assert said["Available from"] == "2026-06-05 08:30 (JST)", "by T-01"
    status, _, text = await explain(config, *evening, "--days-worked", "7")
    assert status == 2, text


async def test_what_does_not_exist_is_said_in_one_line(config: Path) -> None:
    for arguments, code in (
        (("nobody", "office"), "not_found"),
        (("sato", "nowhere"), "not_found"),
        (("sato", "office", "--from", "annex"), "bad_request"),
        (("sato", "office", "--at", "0001-01-01T00:00:00"), "bad_request"),
        (("sato", "office", "--at", "9999-12-31T23:59:59"), "bad_request"),
    ):
        status, _, text = await explain(config, *arguments)
        assert (status, f"({code}, req_" in text, "Traceback" in text) == (1, True, False), text
