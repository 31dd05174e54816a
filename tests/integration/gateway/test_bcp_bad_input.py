"""Bad input to BCP mode over HTTP: each has its own clear answer in both languages, and nothing has changed."""

from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from gateway.routes import ROUTES
from tests.integration.gateway.test_bcp import PROPOSAL, Scene, declared, more, town
from tests.support.slapd import Slapd, group_dn, person, person_dn

__all__ = ["declared", "more", "town"]
HQ = [person_dn(uid) for uid in ("ikeda", "mori", "suzuki")]


async def waiting(scene: Scene) -> dict[str, Any]:
    """Proposed by mori; ikeda is to approve."""
    status, found = await scene["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL})
    assert status == 201, found
    made: dict[str, Any] = found
    return made


def spoil(plans: Path | None) -> None:
    """Misspell a key of the file of plans."""
    assert plans is not None
    plans.write_text(plans.read_text("utf-8").replace("approval:", "aproval:"), "utf-8")


async def approve(scene: Scene, made: dict[str, Any], uid: str = "ikeda") -> tuple[int, Any]:
    """The second signature."""
    return await scene[uid].call("POST", f"/bcp/declarations/{made['id']}/approve", {"digest": made["digest"]})


async def untouched(scene: Scene, made: dict[str, Any]) -> bool:
    """It still waits, and nobody got anything."""
    _, found = await scene["mori"].call("GET", f"/bcp/declarations/{made['id']}")
    return found == made and not await scene.may_work("kato")


async def test_an_approver_whose_role_ended_between_cannot_sign(declared: Scene, town: Slapd) -> None:
    made = await waiting(declared)
    town.set(group_dn("hq"), "member", person_dn("mori"), person_dn("suzuki"))
    try:
        status, _ = await approve(declared, made)
        assert status == 404  # a route of somebody else's, like one that does not exist
        assert await untouched(declared, made)
    finally:
        town.set(group_dn("hq"), "member", *HQ)
    # What comes back is seen with the regular look: only who seems entitled costs the directory a question.
    assert (await approve(declared, made))[0] == 404


async def test_an_approver_whose_account_ended_between_cannot_sign(declared: Scene, town: Slapd) -> None:
    made = await waiting(declared)
    town.modify(f"dn: {person_dn('ikeda')}\nchangetype: delete\n")
    try:
        status, _ = await approve(declared, made)
        assert status == 401
        assert await untouched(declared, made)
    finally:
        town.add(person("ikeda", "ikeda-pw-2026", surname="ikeda"))
        town.set(group_dn("hq"), "member", *HQ)


async def test_a_directory_that_is_away_keeps_nobody_from_signing(declared: Scene, town: Slapd) -> None:
    made = await waiting(declared)
    town.stop()
    try:
        assert (await approve(declared, made))[0] == 200
    finally:
        town.start()


async def test_a_proposer_who_signs_twice_is_told(declared: Scene) -> None:
    made = await waiting(declared)
    status, answer = await approve(declared, made, "mori")
    assert (status, answer["refusal"]) == (403, "same_person")
    assert "別の人" in answer["text_ja"]
    assert "Another person" in answer["text_en"]
    assert await untouched(declared, made)


@pytest.mark.parametrize(
    ("over", "refusal"),
    [
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_in_past"),
        ({"ends_at": "2099-01-01T00:00:00Z"}, "too_long"),
        ({"scope": {"kind": "site", "ids": ["atlantis"]}}, "scope_unknown"),
        ({"scope": {"kind": "department", "ids": ["魔法課"]}}, "scope_unknown"),
        ({"scope": {"kind": "duty", "ids": []}}, "scope_empty"),
        ({"scope": {"kind": "tenant", "ids": ["hq"]}}, "scope_unknown"),
        ({"plan_id": "none"}, "plan_unknown"),
        ({"supersedes": "bcp_none"}, "supersedes_unknown"),
        ({"reason": "   "}, "reason_missing"),
        ({"level": "recovery"}, "level_not_declarable"),
    ],
)
async def test_what_cannot_be_declared_says_so_and_declares_nothing(
    declared: Scene, over: dict[str, Any], refusal: str
) -> None:
    status, answer = await declared["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL | over})
    assert (status, answer["refusal"]) == (409 if refusal == "supersedes_unknown" else 400, refusal)
    assert answer["text_ja"].endswith("。") or "{" not in answer["text_ja"]
    assert (await declared["mori"].call("GET", "/bcp/declarations"))[1]["items"] == []


@pytest.mark.parametrize(
    "proposal",
    [
        None,
        [],
        {},
        PROPOSAL | {"level": "third"},
        PROPOSAL | {"ends_at": "tomorrow"},
        PROPOSAL | {"scope": {"kind": "planet", "ids": []}},
        PROPOSAL | {"scope": {"kind": "site", "ids": ["x"] * 201}},
        PROPOSAL | {"reason": "x" * 501},
        PROPOSAL | {"drill": "perhaps"},
        PROPOSAL | {"unknown": 1},
    ],
)
async def test_a_malformed_proposal_is_refused_whole(declared: Scene, proposal: object) -> None:
    status, _ = await declared["mori"].call("POST", "/bcp/declarations", {"proposal": proposal})
    assert status == 400
    assert (await declared["mori"].call("GET", "/bcp/declarations"))[1]["items"] == []


async def test_a_nul_is_the_callers_fault_everywhere(declared: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """PostgreSQL stores none: it must not come as far as a statement."""
    mori = declared["mori"]
    for path in ("/sessions/%00", "/bcp/declarations/a%00b", "/bcp/reports/%00"):
        async with mori.client.get(URL(f"{mori.url}/api/v1{path}", encoded=True)) as answer:
            assert answer.status == 404, path
        assert "U+0000 in a path" in capsys.readouterr().out, "SQLite would have taken it"
    assert (await mori.call("POST", "/bcp/what-if", PROPOSAL | {"reason": "a\0b"}))[0] == 400
    assert (await mori.call("POST", "/bcp/what-if", PROPOSAL | {"reason": r"C:\\u0000"}))[0] == 200, "that is no NUL"


async def test_a_malformed_plan_leaves_the_plans_before_and_what_is_declared(declared: Scene) -> None:
    made = await waiting(declared)
    spoil(declared.running.settings.bcp.plans_file)
    assert (await approve(declared, made))[0] == 200
    _, found = await declared["mori"].call("GET", "/bcp/plans")
    assert [plan["id"] for plan in found["items"]] == ["quake", "infection"]


def test_every_signature_asks_the_directory_first() -> None:
    assert {route.handler.__name__ for route in ROUTES if route.signs} == {
        "declare", "approve", "extend", "approve_extension", "ratify", "propose", "adopt", "restore",
    }  # fmt: skip
