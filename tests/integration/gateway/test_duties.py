"""Duties over HTTP: what staff see, what counts in decisions, and the way in for files from end to end."""

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from broker.duties import csv_files, yaml_files
from broker.duties.models import Kind, Priority, Register, ResumeWithin, Telework
from policy.model import Zone
from tests.support.city import CHECKOUT
from tests.support.gateway import CLI_CONFIG, Running
from tests.support.person import Person
from tests.support.register import duty, register

_POOL = {"name_ja": "庁内", "name_en": "Office", "kind": "agent", "pool_class": "office", "max_desktops": 5}
WANTED = register(
    duty("pay", condition="承認", telework=Telework.CONDITIONAL),
    duty("hq", priority=Priority.P1, resume_within=ResumeWithin.HOURS_3, name_ja="対策本部"),
    duty("window", telework=Telework.NEVER, pools=(), people=("0102",), substitutes=("0101",)),
    duty("web", zone=Zone.INTERNET, pools=("net",)),
    duty("lost", pools=()),
)


def _sent(wanted: Register, **more: object) -> dict[str, object]:
    content = base64.b64encode(yaml_files.write(wanted).encode()).decode()
    return {"files": [{"name": "register.yaml", "content": content}], **more}


async def import_register(gateway: Running, wanted: Register) -> dict[str, Any]:
    """Preview and apply; for other modules, too."""
    status, plan = await gateway.admin("POST", "/duties/preview", _sent(wanted))
    assert (status, plan["faults"]) == (200, [])
    status, plan = await gateway.admin("POST", "/duties/apply", _sent(wanted, digest=plan["digest"]))
    assert (status, plan["applied"]) == (200, True)
    found: dict[str, Any] = plan
    return found


@pytest.fixture
async def office(gateway: Running) -> Running:
    """A gateway with two pools; the policy of the tests lets telework staff into the LGWAN one."""
    for pool_id, zone in (("office", "lgwan"), ("net", "internet")):
        assert (await gateway.admin("PUT", f"/pools/{pool_id}", _POOL | {"zone": zone}))[0] == 200
    return gateway


async def test_staff_see_their_duties_and_where_they_may_do_them_now(office: Running, sato: Person) -> None:
    await sato.log_in()
    assert (await sato.call("GET", "/duties"))[1] == {"items": []}
    await import_register(office, WANTED)
    _, found = await sato.call("GET", "/duties")
    shown = {item["id"]: item for item in found["items"]}
    assert [item["id"] for item in found["items"]] == ["hq", "lost", "pay", "web", "window"]
    assert {key: item["status"] for key, item in shown.items()} == {
        "hq": "now", "lost": "no_place", "pay": "conditional", "web": "now", "window": "never",
    }  # fmt: skip
    assert (shown["hq"]["part"], shown["window"]["part"]) == ("main", "substitute")
    assert shown["pay"]["condition"] == "承認"
    assert shown["hq"]["department_ja"] == "総務課"
    (place,) = shown["hq"]["places"]
    assert (place["pool_id"], place["allowed"], place["reason"]) == ("office", True, None)
    assert "0101" not in json.dumps(found)
    assert "suzuki" not in json.dumps(found)


async def test_rules_over_duties_hold_at_once(office: Running, sato: Person) -> None:
    await sato.log_in()
    assert await _usable(sato) == ["net", "office"]
    await asyncio.to_thread(_swap, Path(office.settings.policy.path), "groups: [telework]", "duties: [hq]")
    for _ in range(200):
        if not await _usable(sato):
            break
        await asyncio.sleep(0.05)  # the policy file is looked at ten times a second
    assert await _usable(sato) == []
    await import_register(office, WANTED)
    assert await _usable(sato) == ["net", "office"]
    _, answered = await office.admin("POST", "/policy/explain", {"username": "sato", "pool_id": "office"})
    assert answered["allowed"]
    await import_register(office, register())
    assert await _usable(sato) == []
    _, answered = await office.admin("POST", "/policy/explain", {"username": "sato", "pool_id": "office"})
    assert not answered["allowed"]


def _swap(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


async def _usable(person: Person) -> list[str]:
    _, found = await person.call("GET", "/desktops")
    return sorted(item["pool_id"] for item in found["items"] if item["allowed"])


async def test_register_export_and_history(office: Running) -> None:
    await import_register(office, WANTED)
    _, found = await office.admin("GET", "/duties")
    assert found["counts"] == {"sites": 1, "departments": 1, "staff": 2, "duties": 5}
    assert [one["code"] for one in found["findings"]] == ["no_place"]
    assert [(made["version"], made["actor"].startswith("local:")) for made in found["imports"]] == [(1, True)]
    _, exported = await office.admin("GET", "/duties/export/duties.csv")
    assert exported["content"] == csv_files.write(Kind.DUTIES, sorted(WANTED.duties.values(), key=lambda one: one.id))
    assert (await office.admin("GET", "/duties/export/passwords.csv"))[0] == 404


async def test_faults_are_said_and_conflicts_refused(office: Running) -> None:
    bad = register(duty("pay", people=("0101", "9999", "0101"), pools=("gone",)))
    status, plan = await office.admin("POST", "/duties/preview", _sent(bad))
    assert (status, plan["digest"], plan["changes"]) == (200, None, [])
    assert sorted(fault["code"] for fault in plan["faults"]) == ["duplicate_staff", "unknown_pool", "unknown_staff"]
    assert all(fault["line"] and fault["remedy_ja"] and fault["remedy_en"] for fault in plan["faults"])
    status, plan = await office.admin("POST", "/duties/apply", _sent(bad, digest="0" * 64))
    assert (status, plan["applied"]) == (200, False)
    status, problem = await office.admin("POST", "/duties/apply", _sent(WANTED, digest="0" * 64))
    assert (status, problem["code"]) == (409, "conflict")
    assert (await office.admin("GET", "/duties"))[1]["version"] == 0


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # this client's way of sending, not ours
async def test_bodies_have_a_form_and_a_limit(office: Running) -> None:
    for body, status in [
        ({"files": []}, 400),
        ({"files": [{"name": "a.csv", "content": "%%%"}]}, 400),
        ({"files": [{"name": "a.csv", "content": "", "more": 1}]}, 400),
        ({"files": [{"name": "a.csv", "content": base64.b64encode(bytes(5_000_000)).decode()}] * 2}, 413),
    ]:
        assert (await office.admin("POST", "/duties/preview", body))[0] == status


@pytest.fixture
def lists(tmp_path: Path) -> list[Path]:
    """The four CSV lists of the register."""
    made = [tmp_path / f"{kind}.csv" for kind in Kind]
    for kind, file in zip(Kind, made, strict=True):
        file.write_text(csv_files.write(kind, tuple(WANTED.of(kind).values())), "utf-8", newline="")
    return made


@pytest.fixture
def config(tmp_path: Path, gateway: Running) -> Path:
    """A settings file with which the command finds the gateway."""
    made = tmp_path / "gateway.toml"
    made.write_text(CLI_CONFIG.format(socket=gateway.settings.admin.socket), "utf-8")
    return made


async def test_the_command_shows_applies_and_exports(office: Running, config: Path, lists: list[Path]) -> None:
    names = [str(file) for file in lists]
    shown = await _command(config, "import", *names)
    assert shown.returncode == 0, shown.stderr
    assert "+ duties hq 対策本部" in shown.stdout
    digest = shown.stdout.split("--apply ")[1].strip()
    assert (await _command(config, "import", *names, "--apply", digest)).stdout.endswith("反映しました。\n")
    listed = await _command(config, "list", "-l", "en")
    assert "version 1: 1 sites" in listed.stdout
    out = config.with_name("out.csv")
    await _command(config, "export", "duties.csv", "-o", str(out), "--encoding", "cp932")
    assert "対策本部".encode("cp932") in await asyncio.to_thread(out.read_bytes)
    await asyncio.to_thread(_swap, lists[3], "0101", "101")
    refused = await _command(config, "import", *names)
    assert refused.returncode == 1
    assert "0101" in refused.stdout
    assert (await office.admin("GET", "/duties"))[1]["version"] == 1


async def _command(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.cli", "duty", *arguments, "--config", str(config)]
    return await asyncio.to_thread(
        subprocess.run, command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
