"""Plans in the console over HTTP: who may, what a faulty text says, and that an adopted plan is the one declared."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.doctor_plans import bcp_plans
from tests.integration.gateway.test_bcp import PLANS, Scene, declared, more, town
from tests.integration.gateway.test_bcp_cli import run
from tests.integration.gateway.test_restore import mark

__all__ = ["declared", "more", "town"]


def text(version: int = 2, **over: Any) -> str:
    """The form's JSON: the file's plan, changed."""
    plan = yaml.safe_load(PLANS)["plans"][0]
    return json.dumps({"format": 1, "plans": [plan | {"version": version} | over]}, ensure_ascii=False)


async def standings(scene: Scene) -> dict[str, str]:
    """Of the versions of the earthquake's plan."""
    _, found = await scene["ota"].call("GET", "/bcp/plan-versions")
    return {item["id"]: item["standing"] for item in found["items"] if item["id"].startswith("quake.")}


async def test_a_plan_is_proposed_adopted_and_declared(declared: Scene) -> None:
    ikeda, mori, ota = declared["ikeda"], declared["mori"], declared["ota"]
    assert await standings(declared) == {"quake.1": "in_force"}
    wide = text(name={"ja": "地震（改）", "en": "Quake, new"})
    _, checked = await mori.call("POST", "/bcp/plan-versions/check", {"text": wide})
    assert (checked["ok"], checked["next_version"]) == (True, 2)
    _, effect = await mori.call("POST", "/bcp/plan-versions/what-if", {"text": wide, "level": "first"})
    assert (effect["gain_people"], effect["gains"][0]["named"][0]["username"]) == (1, "kato")
    status, made = await mori.call("POST", "/bcp/plan-versions", {"text": wide, "note": "年次の見直し"})
    assert (status, made["standing"], made["proposed"]["username"], made["may"]) == (
        201,
        "proposed",
        "mori",
        ["reject"],
    )
    assert await standings(declared) == {"quake.2": "proposed", "quake.1": "in_force"}
    _, seen = await ikeda.call("GET", "/bcp/plan-versions/quake.2")
    assert seen["version"]["may"] == ["adopt", "reject"]
    assert yaml.safe_load(seen["text"])["plans"][0]["name"] == seen["content"]["name"]
    # nobody alone, no reader, nothing unseen
    digest = {"digest": seen["version"]["digest"], "seen_diff": effect["digest"]}
    status, refusal = await mori.call("POST", "/bcp/plan-versions/quake.2/adopt", digest)
    assert (status, refusal["refusal"]) == (403, "same_person")
    status, refusal = await ikeda.call("POST", "/bcp/plan-versions/quake.2/adopt", {"digest": "0" * 64})
    assert (status, refusal["refusal"]) == (409, "content_changed")
    status, taken = await ikeda.call("POST", "/bcp/plan-versions/quake.2/adopt", digest)
    assert (status, taken["standing"], taken["adopted"]["username"]) == (200, "in_force", "ikeda")
    assert await standings(declared) == {"quake.2": "in_force", "quake.1": "replaced"}
    # nothing lasting grows out of a temporary authenticator
    mark(declared, "temporary_factor", on=True)
    status, refusal = await mori.call("POST", "/bcp/plan-versions", {"text": text(3), "note": "x"})
    assert (status, refusal["code"]) == (403, "forbidden")
    assert (await ikeda.call("POST", "/bcp/plan-versions/quake.2/adopt", digest))[0] == 403
    mark(declared, "temporary_factor", on=False)
    # it is what is declared now, and stays so for this declaration
    signed = await declared.declare()
    assert (signed["plan"]["version"], signed["plan"]["name_ja"]) == (2, "地震（改）")
    _, made = await mori.call("POST", "/bcp/plan-versions", {"text": text(3, grace="5s"), "note": "猶予"})
    await ikeda.call("POST", "/bcp/plan-versions/quake.3/adopt", {"digest": made["digest"]})
    _, status_now = await ota.call("GET", "/bcp/status")
    assert status_now["active"][0]["plan"]["version"] == 2
    usable = (await ota.call("GET", "/bcp/plans"))[1]["items"]
    assert {item["id"]: item["version"] for item in usable} == {"quake": 3, "infection": 1}
    # of what is over the version has gone from the shelf: the plan still has its name
    await mori.call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
    assert (await mori.call("POST", f"/bcp/declarations/{signed['id']}/report", {}))[0] == 201
    [listed] = (await ota.call("GET", "/bcp/declarations"))[1]["items"]
    [report] = (await ota.call("GET", "/bcp/reports"))[1]["items"]
    assert (listed["plan"]["name_ja"], listed["plan"]["version"], report["about"]["plan_ja"]) == (
        "大規模地震",
        2,
        "大規模地震",
    )


@pytest.mark.parametrize("uid", ["kato", "suzuki"])
async def test_staff_and_administrators_have_no_part_in_plans(declared: Scene, uid: str) -> None:
    someone = declared[uid]
    for method, path, body in (
        ("GET", "/bcp/plan-versions", None),
        ("GET", "/bcp/plan-versions/quake.1", None),
        ("POST", "/bcp/plan-versions/check", {"text": text()}),
        ("POST", "/bcp/plan-versions/what-if", {"text": text(), "level": "first"}),
        ("POST", "/bcp/plan-versions", {"text": text(), "note": "x"}),
        ("POST", "/bcp/plan-versions/quake.1/adopt", {"digest": "0" * 64}),
        ("POST", "/bcp/plan-versions/quake.1/reject", {}),
    ):
        assert (await someone.call(method, path, body))[0] == 404, path


async def test_readers_read_and_faulty_texts_say_where(declared: Scene) -> None:
    mori, ota = declared["mori"], declared["ota"]
    assert (await ota.call("GET", "/bcp/plan-versions/quake.1"))[0] == 200
    assert (await ota.call("POST", "/bcp/plan-versions", {"text": text(), "note": "x"}))[0] == 404
    assert (await ota.call("GET", "/bcp/plan-versions/quake.9"))[0] == 404
    for odd in ("quake", "quake.", ".1", "quake.x", "quake.99999"):
        assert (await mori.call("POST", f"/bcp/plan-versions/{odd}/adopt", {"digest": "0"}))[0] == 404
    _, found = await ota.call("POST", "/bcp/plan-versions/check", {"text": text(contact={"ja": ""})})
    assert (found["ok"], found["next_version"]) == (False, None)
    places = {problem["path"]: problem for problem in found["problems"]}
    assert set(places) == {"plans[0].contact.ja", "plans[0].contact.en"}
    assert all(problem["text_ja"] and problem["text_en"] for problem in places.values())
    status, refusal = await mori.call("POST", "/bcp/plan-versions", {"text": "format: 1", "note": "x"})
    assert (status, refusal["refusal"]) == (400, "plan_faulty")
    assert refusal["text_ja"]
    assert (await mori.call("POST", "/bcp/plan-versions", {"text": "x" * 300_001, "note": "x"}))[0] == 400
    assert await standings(declared) == {"quake.1": "in_force"}


async def test_from_a_terminal(declared: Scene, tmp_path: Path) -> None:
    file, exported = tmp_path / "plan.yaml", tmp_path / "exported.yaml"
    file.write_text(text(contact={"ja": ""}), "utf-8")
    faulty = await run(declared, "ota", "plan", "check", str(file), "--json")
    assert (faulty.status, faulty.json["ok"]) == (1, False), faulty
    assert "plans[0].contact.ja" in {problem["path"] for problem in faulty.json["problems"]}
    file.write_text(text(), "utf-8")
    proposed = await run(declared, "mori", "plan", "propose", str(file), "--note", "見直し")
    assert (proposed.status, "quake.2" in proposed.out, "1 of " in proposed.out) == (0, True, True), proposed
    unsigned = await run(declared, "ikeda", "plan", "adopt", "quake.2", given="n\n")
    assert (unsigned.status, "nothing was signed" in unsigned.err) == (1, True), unsigned
    shown = await run(declared, "ota", "plan", "show", "quake.2", "--json")
    assert (shown.json["version"]["standing"], shown.json["version"]["note"]) == ("proposed", "見直し"), shown
    adopted = await run(declared, "ikeda", "plan", "adopt", "quake.2", "--json")
    assert (adopted.status, adopted.json["standing"]) == (0, "in_force"), adopted
    assert "1 of " in adopted.err
    written = await run(declared, "ota", "plan", "export", "quake.2", str(exported))
    assert written.status == 0, written
    assert yaml.safe_load(exported.read_text("utf-8"))["plans"][0]["version"] == 2
    listed = await run(declared, "ota", "plan", "list")
    assert "replaced" in listed.out


async def test_the_doctor_misses_an_adopted_version_that_the_audit_knows(declared: Scene) -> None:
    mori, ikeda, own = declared["mori"], declared["ikeda"], declared.running.settings
    for version in (2, 3):
        await mori.call("POST", "/bcp/plan-versions", {"text": text(version), "note": "年次の見直し"})
        _, seen = await ikeda.call("GET", f"/bcp/plan-versions/quake.{version}")
        digest = {"digest": seen["version"]["digest"]}
        assert (await ikeda.call("POST", f"/bcp/plan-versions/quake.{version}/adopt", digest))[0] == 200
    [sound] = await bcp_plans(own)
    assert (sound.ok, sound.text) == (True, "1 adopted in the console, as the audit says")
    with closing(sqlite3.connect(own.database.url.removeprefix("sqlite:///"))) as rows, rows:
        assert rows.execute("delete from bcp_plan_version where version = 3").rowcount == 1
    [missed] = await bcp_plans(own)
    assert (missed.ok, "version 3 of quake was adopted; the newest here is 2" in missed.text) == (False, True)
    assert missed.remedy
