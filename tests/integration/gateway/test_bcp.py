"""BCP mode through the whole gateway: who may, what it opens and within what time, what it leaves behind."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.audit_store import read, verify
from common.clock import Clock, SystemClock
from common.db import Database
from common.tasks import spawn
from gateway import slow_turns
from gateway.demo.synthetic import generate
from gateway.notices import followed
from gateway.permissions import Permission
from gateway.routes import ROUTES
from gateway.services import SERVICES
from policy.model import Zone
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import STAFF, Slapd, group, group_dn, person, person_dn, run_slapd
from tests.support.xvnc import run_xvnc

PLANS = generate(30, pools={Zone.LGWAN: "section", Zone.INTERNET: "section"}).plans.replace("grace: 30m", "grace: 3s")
PROPOSAL = {
    "scope": {"kind": "tenant", "ids": []},
    "level": "first",
    "plan_id": "quake",
    "cause": "earthquake",
    "reason": "震度6強",
}
POOL = {"name_ja": "係の端末", "name_en": "Section PC", "kind": "static", "zone": "lgwan", "max_desktops": 5}


TOWN = (
    STAFF
    + "".join(person(uid, f"{uid}-pw-2026", surname=uid) for uid in ("ikeda", "mori", "kato", "ota"))
    + group("it", person_dn("suzuki"))
    + group("hq", person_dn("ikeda"), person_dn("mori"), person_dn("suzuki"))
    + group("day-shift", person_dn("kato"))
    + group("audit", person_dn("ota"))
)
"""ikeda and mori decide, kato works the day shift, suzuki is in IT and, wrongly, in the headquarters' group."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A directory of these people."""
    with run_slapd(tmp_path_factory.mktemp("slapd") / "town", TOWN) as slapd:
        yield slapd


@pytest.fixture
def more() -> dict[str, Any]:
    """Further sections of the settings; other modules that take `declared` give their own."""
    return {}


@pytest.fixture
async def declared(tmp_path: Path, town: Slapd, more: dict[str, Any]) -> AsyncIterator["Scene"]:
    """A gateway with one static desktop and four people signed in."""
    url = f"sqlite:///{tmp_path / 'kakehashi.db'}"
    async with open_scene(tmp_path / "gateway", town, url, more=more) as scene:
        yield scene


@asynccontextmanager
async def open_scene(
    folder: Path,
    town: Slapd,
    url: str,
    *,
    more: Mapping[str, Any],
    clock: Clock | None = None,
    ahead: timedelta = timedelta(),
    who: Sequence[str] = ("ikeda", "mori", "kato", "ota", "suzuki"),
) -> AsyncIterator["Scene"]:
    """The same on any database and by any clock, for other modules; `ahead` as of a `Person`."""
    folder.mkdir()  # noqa: ASYNC240 - a test waits for its folder
    (folder / "plans.yaml").write_text(PLANS, "utf-8")
    officials = [{"username": "ikeda", "rank": 1, "title_ja": "危機管理監", "title_en": "Head"}]
    own = settings(
        folder,
        town,
        url,
        bcp={"plans_file": folder / "plans.yaml", "bundle_file": folder / "bundle.json", "officials": officials},
        roles={"coordinator_groups": ["hq"], "approver_groups": ["hq"], "auditor_groups": ["audit"]},
        **more,
    )
    async with AsyncExitStack() as stack:
        server = stack.enter_context(run_xvnc(folder / "t"))
        running = await stack.enter_async_context(run_gateway(own, clock=clock))
        await running.admin("PUT", "/pools/section", POOL)
        definition = {
            "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
            "address_kind": "unix", "host": str(server.socket), "security": ["none"],
        }  # fmt: skip
        await running.admin("PUT", "/desktops/pc-1", definition)
        people = {}
        for uid in who:
            people[uid] = await stack.enter_async_context(Person(running.url, uid, f"{uid}-pw-2026", ahead=ahead))
            await people[uid].log_in()
        yield Scene(running, people)


class Scene:
    """The people by name, and the steps that the tests share."""

    def __init__(self, running: Running, people: dict[str, Person]) -> None:
        self.running = running
        self.people = people

    def __getitem__(self, uid: str) -> Person:
        return self.people[uid]

    async def declare(self, **over: Any) -> dict[str, Any]:
        """Proposed by mori, approved by ikeda (who is on the list)."""
        status, found = await self["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL | over})
        assert status == 201, found
        assert found["state"] == "awaiting_approval"
        path = f"/bcp/declarations/{found['id']}/approve"
        status, found = await self["ikeda"].call("POST", path, {"digest": found["digest"]})
        assert (status, found["state"]) == (200, "active")
        signed: dict[str, Any] = found
        return signed

    async def may_work(self, uid: str) -> bool:
        """Whether the section's desktop is open to this person now."""
        _, found = await self[uid].call("GET", "/desktops")
        return bool(next(item for item in found["items"] if item["pool_id"] == "section")["allowed"])


async def test_two_signatures_open_and_lifting_closes_again(declared: Scene) -> None:
    assert not await declared.may_work("kato")
    effect = (await declared["mori"].call("POST", "/bcp/what-if", PROPOSAL))[1]
    assert (effect["gain_people"], [gain["named"][0]["username"] for gain in effect["gains"]]) == (1, ["kato"])
    assert (effect["gain_now"], effect["gains"][0]["now"], effect["gains"][0]["later_at"]) == (1, 1, None)
    assert effect["gains"][0]["places"] is None
    assert {"name_ja": "自宅などその他の場所", "name_en": "home or elsewhere"} in effect["tried_places"]
    seats = {"total": 1, "used": 0, "forecast": 1, "everybody": 1, "short": 0}
    assert effect["capacity"] == [seats | {"pool_id": "section", "name_ja": "係の端末", "name_en": "Section PC"}]
    assert (effect["lines"], effect["unplaced"]) == ([], ["section"])
    assert {key: effect["gateway"][key] for key in seats} == seats | {"total": 3_000}
    assert effect["told"] == {"people": 0, "with_address": 0, "officials": 1, "channels": []}
    began = time.monotonic()
    signed = await declared.declare()
    assert await declared.may_work("kato")
    assert time.monotonic() - began < 2
    assert (await declared["kato"].call("GET", "/notice"))[1]["bcp"]["drill"] is False
    await declared["ikeda"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": "終了"})
    assert not await declared.may_work("kato")
    assert (await declared["kato"].call("GET", "/notice"))[1]["bcp"] is None


async def test_a_session_that_loses_its_declaration_has_its_grace_and_is_then_cut(declared: Scene) -> None:
    signed = await declared.declare()
    kato = declared["kato"]
    session = await desktop(kato, "section")
    async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
        await opened.start()
        await opened.full()
        lifted = time.monotonic()
        await declared["mori"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
        await asyncio.sleep(1.2)
        _, shown = await kato.call("GET", f"/sessions/{session['id']}")
        assert shown["state"] == "active"
        assert shown["ends_at"] is not None
    async with viewer(
        kato, session["id"], await ticket(kato, session["id"])
    ) as opened:  # the line was lost and is back
        await opened.start()
        await opened.full()
        assert await closed_with(opened) == (4403, "policy")
        assert 3 <= time.monotonic() - lifted < 7
    assert not await declared.may_work("kato")
    async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
        assert await closed_with(opened) == (4403, "forbidden")


async def test_a_blocked_person_is_cut_at_once(declared: Scene) -> None:
    signed = await declared.declare()
    kato = declared["kato"]
    session = await desktop(kato, "section")
    async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
        await opened.start()
        await asyncio.sleep(1.2)
        began = time.monotonic()
        path = f"/bcp/declarations/{signed['id']}/narrow"
        status, found = await declared["mori"].call("POST", path, {"block": ["kato"]})
        assert status == 200, found
        assert await closed_with(opened) == (4403, "policy")
        assert time.monotonic() - began < 2.5


def rename(town: Slapd, old: str, new: str) -> None:
    """In the directory: another name, the same entry, the same group."""
    town.modify(f"dn: {person_dn(old)}\nchangetype: modrdn\nnewrdn: uid={new}\ndeleteoldrdn: 1\n")
    town.set(group_dn("day-shift"), "member", person_dn(new))


@pytest.mark.parametrize("name", ["kato", "kato-renamed"])
async def test_who_is_blocked_before_their_first_log_in_gets_nothing_from_it(
    tmp_path: Path, town: Slapd, name: str
) -> None:
    url = f"sqlite:///{tmp_path / 'kakehashi.db'}"
    async with open_scene(tmp_path / "gateway", town, url, more={}, who=("ikeda", "mori")) as scene:
        signed = await scene.declare()
        path = f"/bcp/declarations/{signed['id']}/narrow"
        assert (await scene["mori"].call("POST", path, {"block": ["nobody"]}))[0] == 404
        status, found = await scene["mori"].call("POST", path, {"block": ["KATO"]})
        assert status == 200, found
        rename(town, "kato", name)
        try:
            async with Person(scene.running.url, name, "kato-pw-2026") as scene.people["kato"]:
                await scene["kato"].log_in()
                assert not await scene.may_work("kato")
                assert (await scene["kato"].call("GET", "/desktops"))[1]["notices"] == []
        finally:
            rename(town, name, "kato")


async def test_every_event_of_a_session_and_of_a_login_says_whether_normal_policy_would_have_allowed_it(
    declared: Scene,
) -> None:
    signed = await declared.declare()
    kato = declared["kato"]
    session = await desktop(kato, "section")
    async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
        await opened.start()
        await opened.full()
        await asyncio.sleep(1.2)
        await declared["mori"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
        assert await closed_with(opened) == (4403, "policy")
    await kato.call("DELETE", f"/sessions/{session['id']}")
    database = Database(declared.running.settings.database.url)
    try:
        events = [chained.event async for chained in read(database, "test")]
    finally:
        await database.close()
    of_session = [event for event in events if event.session_id == session["id"]]
    assert {"request-session", "attach-viewer", "cut-viewer", "end-session"} <= {event.name for event in of_session}
    silent = [e.name for e in of_session if e.details.get("normal_allowed") is not False]
    assert silent == []
    logins = [event for event in events if event.name == "accept-login"]
    assert len(logins) == 5
    assert all(event.details["normal_allowed"] is True for event in logins)


async def test_who_may_do_what(declared: Scene) -> None:
    """Administrators take no part, even when somebody put them into the group; auditors look; staff see nothing."""
    for uid, looks, acts in (("suzuki", 404, 404), ("ota", 200, 404), ("kato", 404, 404), ("mori", 200, 201)):
        assert (await declared[uid].call("GET", "/bcp/status"))[0] == looks, uid
        status, _ = await declared[uid].call("POST", "/bcp/declarations", {"proposal": PROPOSAL})
        assert status == acts, uid


READS = ("status", "plans", "scopes", "declarations", "capacity", "reports", "drills")


async def test_every_role_reads_and_signs_its_own_over_http(declared: Scene) -> None:
    """IT and staff get none of it; auditors every page and no step, whatever declaration they name."""
    signed = await declared.declare()
    path = f"/bcp/declarations/{signed['id']}"
    reads = [f"/bcp/{name}" for name in READS] + [f"{path}{end}" for end in ("", "/reach", "/reach/people", "/score")]
    steps = [f"{path}/{name}" for name in ("approve", "reject", "extend", "narrow", "lift", "ratify", "report")]
    for uid, looks in (("ota", 200), ("mori", 200), ("kato", 404), ("suzuki", 404)):
        found = {read: (await declared[uid].call("GET", read))[0] for read in reads}
        assert set(found.values()) == {looks}, (uid, found)
    for uid in ("ota", "kato", "suzuki"):
        for step in steps:
            status, answer = await declared[uid].call("POST", step, {})
            assert (status, answer["code"], "refusal" in answer) == (404, "not_found", False), (uid, step)
    assert (await declared["mori"].call("GET", path))[1]["state"] == "active"
    assert (await declared["mori"].call("GET", "/admin/pools"))[0] == 404


async def test_scoped_admin_becomes_admin_no_role_reaches_a_route_of_administrators(declared: Scene) -> None:
    """Coordinator and approver, auditor, staff: what administers looks to them like what is not there."""
    admin = [route for route in ROUTES if route.permission is Permission.ADMIN]
    assert len(admin) > 10
    for uid, roles in (("mori", ["approver", "coordinator"]), ("ota", ["auditor"]), ("kato", [])):
        someone = declared[uid]
        for route in admin:
            content = None if route.method in ("GET", "DELETE") else {"groups": ["it"], "roles": ["admin"]}
            path = route.path.removeprefix("/api/v1").replace(
                "{id}", (await someone.call("GET", "/me"))[1]["user"]["id"]
            )
            status, answer = await someone.call(route.method, path, content)
            assert (status, (answer or {}).get("code")) == (404, "not_found"), (uid, route.path)
        assert sorted((await someone.call("GET", "/me"))[1]["roles"]) == roles


async def test_refused_steps_say_why_and_change_nothing(declared: Scene) -> None:
    mori, ikeda = declared["mori"], declared["ikeda"]
    _, waiting = await mori.call("POST", "/bcp/declarations", {"proposal": PROPOSAL})
    path = f"/bcp/declarations/{waiting['id']}/approve"
    for who, content, refusal in (
        (mori, {"digest": waiting["digest"]}, "same_person"),
        (ikeda, {"digest": "0" * 64}, "content_changed"),
    ):
        status, answer = await who.call("POST", path, content)
        assert (status >= 400, answer["refusal"]) == (True, refusal)
        assert answer["text_ja"].endswith("。")
    for over, refusal in (
        ({"plan_id": "flood"}, "plan_unknown"),
        ({"scope": {"kind": "site", "ids": ["nowhere"]}}, "scope_unknown"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_in_past"),
        ({"ends_at": "2099-01-01T00:00:00Z"}, "too_long"),
    ):
        status, answer = await mori.call("POST", "/bcp/declarations", {"proposal": PROPOSAL | over})
        assert (status >= 400, answer.get("refusal")) == (True, refusal), answer
    assert not await declared.may_work("kato")


async def test_before_a_later_signature_the_effect_is_that_of_what_was_signed(declared: Scene) -> None:
    """The plan that was declared counts, though a newer one or none is on the shelf; who is blocked gains nothing."""
    mori, ends = declared["mori"], [SystemClock().now() + timedelta(hours=hours) for hours in (20, 40)]
    signed = await declared.declare(ends_at=ends[0].isoformat())
    path = f"/bcp/declarations/{signed['id']}"

    async def effect(**over: Any) -> tuple[list[str], datetime]:
        status, found = await mori.call("POST", f"{path}/what-if", over)
        assert status == 200, found
        named = [person["username"] for gain in found["gains"] for person in gain["named"]]
        return named, datetime.fromisoformat(found["tried_until"])

    async def shelve(plans: str) -> None:
        file = declared.running.settings.bcp.plans_file
        assert file
        file.write_text(plans, "utf-8")
        app = declared.running.listeners._runner.app
        assert app
        await app[SERVICES].bcp.reload_plans()

    await shelve(PLANS.replace("version: 1", "version: 2").replace("day-shift", "audit"))
    _, fresh = await mori.call("POST", "/bcp/what-if", PROPOSAL)
    assert [person["username"] for person in fresh["gains"][0]["named"]] == ["ota"]
    assert await effect() == (["kato"], ends[0])
    await shelve("format: 1\nplans: []\n")
    assert (await mori.call("POST", "/bcp/what-if", PROPOSAL))[1]["refusal"] == "plan_unknown"
    assert await effect(ends_at=ends[1].isoformat()) == (["kato"], ends[1])
    assert (await mori.call("POST", f"{path}/narrow", {"block": ["kato"]}))[0] == 200
    assert await effect() == ([], ends[0])
    assert (await mori.call("POST", f"{path}/extend", {"ends_at": ends[1].isoformat(), "seen_diff": "a" * 64}))[
        0
    ] == 200
    assert await effect() == ([], ends[1])
    assert (await mori.call("GET", path))[1]["pending"]["seen_diff"] == "a" * 64
    for wrong, status in (("2099-01-01T00:00:00", 400), ("tomorrow", 400)):
        assert (await mori.call("POST", f"{path}/what-if", {"ends_at": wrong}))[0] == status
    assert (await mori.call("POST", "/bcp/what-if", PROPOSAL | {"ends_at": "2099-01-01T00:00:00"}))[0] == 400
    assert (await mori.call("POST", "/bcp/declarations/none/what-if", {}))[0] == 404
    assert (await declared["kato"].call("POST", f"{path}/what-if", {}))[0] in {403, 404}


async def test_a_later_end_is_turned_down_by_the_second_person_or_taken_back(declared: Scene) -> None:
    mori, ikeda = declared["mori"], declared["ikeda"]
    soon, later, longest = (SystemClock().now() + timedelta(hours=hours) for hours in (20, 40, 60))
    signed = await declared.declare(ends_at=soon.isoformat())
    path = f"/bcp/declarations/{signed['id']}"
    told = await _notices(declared, signed["id"])
    _, first = await mori.call("POST", f"{path}/extend", {"ends_at": later.isoformat()})
    assert "reject" in first["may"]
    assert "reject" not in (await declared["ota"].call("GET", path))[1]["may"]
    seen = {"text": "長すぎる", "digest": first["pending"]["digest"]}
    status, found = await ikeda.call("POST", f"{path}/reject", seen)
    assert (status, found["pending"], found["ends_at"], found["state"]) == (200, None, signed["ends_at"], "active")
    assert await _notices(declared, signed["id"]) - told == {"extension_wanted"}
    _, second = await mori.call("POST", f"{path}/extend", {"ends_at": longest.isoformat()})
    for unseen in (seen, {"text": "見ていない"}):
        status, answer = await ikeda.call("POST", f"{path}/reject", unseen)
        assert (status >= 400, answer["refusal"]) == (True, "content_changed")
    status, found = await mori.call("POST", f"{path}/reject", {"digest": second["pending"]["digest"]})
    assert (status, found["pending"]) == (200, None)
    status, answer = await ikeda.call("POST", f"{path}/reject", seen)
    assert (status >= 400, answer["refusal"]) == (True, "not_possible_now")
    assert await declared.may_work("kato")
    database = Database(declared.running.settings.database.url)
    try:
        events = [c.event async for c in read(database, "test") if c.event.name == "reject-extension"]
    finally:
        await database.close()
    assert [(event.actor, event.outcome, event.details.get("note")) for event in events] == [
        ("ikeda", "ok", "長すぎる"),
        ("ikeda", "denied", None),
        ("ikeda", "denied", None),
        ("mori", "ok", None),
    ]


async def _notices(declared: Scene, declaration_id: str) -> set[str]:
    notices = declared.running.listeners._runner.app[SERVICES].notices
    await notices.look()
    return {str(notice.kind) for notice in await notices.of_declaration(declaration_id)}


async def test_the_audit_says_that_normal_policy_would_not_have_allowed_it(declared: Scene) -> None:
    signed = await declared.declare()
    await desktop(declared["kato"], "section")
    database = Database(declared.running.settings.database.url)
    try:
        events = [chained.event async for chained in read(database, "test")]
        assert (await verify(database, "test")).fault is None
    finally:
        await database.close()
    [opened] = [event for event in events if event.name == "request-session"]
    assert opened.details["normal_allowed"] is False
    assert opened.details["declarations"] == signed["id"]


async def _counted(declared: Scene, declaration_id: str) -> None:
    """Of those told, ikeda and mori have signed and kato has answered: nobody has to be called."""
    await desktop(declared["kato"], "section")
    path = f"/bcp/declarations/{declaration_id}"
    for uid in ("mori", "ota"):
        status, found = await declared[uid].call("GET", f"{path}/reach")
        total = found["total"]
        assert (status, total["people"], total["partly"], total["not_reached"]) == (200, 3, 1, 0)
        assert found["duties"] == []
    _, lists = await declared["mori"].call("GET", f"{path}/reach/people")
    assert [one["username"] for one in lists["not_reached"]["items"]] == []
    assert [one["ability"] for one in lists["limited"]["items"]] == ["partly"]
    assert (await declared["mori"].call("GET", f"{path}/reach/duties/nothing"))[0] == 404
    async with declared["mori"].client.get(f"{declared['mori'].url}/api/v1{path}/notice") as response:
        assert (response.status, (await response.read())[:5]) == (200, b"%PDF-")
    for one in ("reach", "reach/people", "notice"):
        assert (await declared["kato"].call("GET", f"{path}/{one}"))[0] == 404
        assert (await declared["mori"].call("GET", f"/bcp/declarations/unknown/{one}"))[0] == 404


async def test_who_asks_at_the_same_time_is_counted_for_once(declared: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = await declared.declare()
    counted, real = [], followed.follow

    def slowly(*args: Any, **kwargs: Any) -> Any:
        counted.append(1)
        time.sleep(0.3)
        return real(*args, **kwargs)

    monkeypatch.setattr(followed, "follow", slowly)
    path = f"/bcp/declarations/{signed['id']}/reach"
    asked = [declared[uid].call("GET", path) for uid in ("mori", "ota", "ikeda")]
    found = await asyncio.gather(*asked, declared["ota"].call("GET", "/bcp/declarations/unknown/reach"))
    assert [status for status, _ in found] == [200, 200, 200, 404]
    assert len(counted) <= 2
    counted.clear()
    for uid in ("mori", "ota"):
        await declared[uid].call("GET", path)
    assert len(counted) == 2, "nothing is remembered"


async def test_reports_that_fill_their_turns_hold_nobody_up_who_has_to_decide(
    declared: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await declared.declare()
    score = f"/bcp/declarations/{signed['id']}/score"
    reports, go_on = declared.running.listeners._runner.app[SERVICES].reports, asyncio.Event()
    under_way = 0

    async def slow(_self: object, _declaration_id: str) -> object:
        nonlocal under_way
        under_way += 1
        await go_on.wait()
        return await done(signed["id"])

    done = reports.score
    monkeypatch.setattr(type(reports), "score", slow)
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 0.3)
    asked = [spawn(declared[uid].call("GET", score), name="asks") for uid in ("mori", "mori", "mori", "ota", "ota")]
    await asyncio.sleep(0.6)
    assert under_way == 3
    status, answer = await declared["ota"].call("GET", score)
    assert (status, answer["code"]) == (503, "busy")
    assert (await declared["mori"].call("POST", "/bcp/what-if", PROPOSAL))[0] == 200
    assert (await declared["mori"].call("GET", "/bcp/status"))[0] == 200
    go_on.set()
    assert sorted([status for status, _ in await asyncio.gather(*asked)]) == [200, 200, 200, 503, 503]


async def test_who_sends_slowly_what_is_to_be_decided_keeps_no_turn(
    declared: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 0.5)
    mori, go_on, began = declared["mori"], asyncio.Event(), asyncio.Event()
    text = json.dumps(PROPOSAL).encode()

    async def trickle() -> AsyncIterator[bytes]:
        yield text[:10]
        began.set()
        await go_on.wait()
        yield text[10:]

    headers = {"X-CSRF-Token": mori.csrf, "Content-Type": "application/json"}
    path = f"{mori.url}/api/v1/bcp/what-if"
    slow = asyncio.ensure_future(mori.client.post(path, data=trickle(), headers=headers))
    await began.wait()
    await asyncio.sleep(0.2)
    assert (await mori.call("POST", "/bcp/what-if", PROPOSAL))[0] == 200
    go_on.set()
    async with await slow as response:
        assert response.status == 200


async def test_a_drill_is_in_the_calendar_of_its_fiscal_year(declared: Scene) -> None:
    status, before = await declared["ota"].call("GET", "/bcp/drills")
    assert (status, [half["drills"] for half in before["years"][0]["halves"]]) == (200, [[], []])
    status, drill = await declared["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL | {"drill": True}})
    assert status == 201, drill
    held = [half["drills"] for half in (await declared["mori"].call("GET", "/bcp/drills"))[1]["years"][0]["halves"]]
    assert [one["declaration_id"] for half in held for one in half] == [drill["id"]]
    assert (await declared["kato"].call("GET", "/bcp/drills"))[0] == 404


async def test_staff_are_not_shown_what_waits_for_officials(declared: Scene) -> None:
    _, waiting = await declared["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL})
    notices = declared.running.listeners._runner.app[SERVICES].notices
    await notices.look()
    assert [one.kind for one in await notices.of_declaration(waiting["id"])] == ["approval_wanted"]
    assert (await declared["kato"].call("GET", "/notices"))[1]["items"] == []


async def test_people_are_told_confirm_and_answer_and_the_report_is_frozen(declared: Scene) -> None:
    signed = await declared.declare()
    kato, mori = declared["kato"], declared["mori"]
    _, listed = await kato.call("GET", "/desktops")
    assert [banner["kind"] for banner in listed["notices"]] == ["first"]
    async with asyncio.timeout(10):
        while not (items := (await kato.call("GET", "/notices"))[1]["items"]):  # noqa: ASYNC110 - only the API tells
            await asyncio.sleep(0.1)
    [told] = items
    assert told["declaration_id"] == signed["id"]
    assert (await kato.call("POST", f"/notices/{told['id']}/answer", {"ability": "partly"}))[0] == 204
    assert (await kato.call("GET", "/notices"))[1]["items"][0]["ability"] == "partly"
    assert (await kato.call("POST", "/notices/unknown/read"))[0] == 404
    await _counted(declared, signed["id"])
    await mori.call("POST", f"/bcp/declarations/{signed['id']}/narrow", {"level": "recovery"})
    await mori.call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": "終了"})
    status, made = await mori.call("POST", f"/bcp/declarations/{signed['id']}/report")
    assert status == 201, made
    assert len(made["sha256"]) == 64
    assert made["about"]["scope"]["text_ja"] == "全庁"
    assert made["about"]["level"] == "first"
    [listed] = (await declared["ota"].call("GET", "/bcp/reports"))[1]["items"]
    assert listed == made
    _, detail = await declared["ota"].call("GET", f"/bcp/reports/{made['id']}")
    assert (detail["head"], detail["final"], detail["score"]["p1_roster"]) == (made, False, 0)
    assert (await declared["ota"].call("POST", f"/bcp/declarations/{signed['id']}/report"))[0] == 404
    url = f"{mori.url}/api/v1/bcp/reports/{made['id']}"
    async with mori.client.get(f"{url}/pdf") as response:
        assert (await response.read()).startswith(b"%PDF-")
    async with mori.client.get(f"{url}/csv") as response:
        assert (await response.read()).startswith(b"\xef\xbb\xbf")
    assert (await kato.call("GET", "/bcp/reports"))[0] == 404


async def test_a_stale_code_signs_nothing_until_it_is_proved_afresh(declared: Scene) -> None:
    mori = declared["mori"]
    _, me = await mori.call("GET", "/me")
    assert me["web_session"]["totp_at"]
    status, answer = await mori.call("POST", "/me/step-up", {"code": "000000"})
    assert (status, answer["error"]["code"]) == (200, "code_wrong")
