"""`stale_grant`: what policy says now reaches viewers that are attached already, and is recorded."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from broker.basis import Answer
from broker.models import EndReason
from broker.registry import LiveSession, Rejudged
from broker.states import SessionState
from policy.model import Decision, Request
from tests.integration.broker.conftest import Screen, World
from tests.support.policy import engine, request


def _again(live: LiveSession, users: list[str]) -> Answer:
    asked = live.grant.request
    rules = [{"id": "T-02", "when": {"users": users}}]
    return Answer(engine(rules).decide(Request(asked.subject, asked.action, asked.resource, asked.context)))


def _as_decided(decision: Decision, _live: LiveSession) -> Answer:
    return Answer(decision)


async def _judged(world: World, decide: Callable[[LiveSession], Answer]) -> tuple[Rejudged, ...]:
    """Judged again, and written down."""
    found = await world.broker.sessions.rejudge(decide)
    await world.broker.sessions.write_down(found)
    return found


async def test_stale_grant_a_removed_person_is_cut_and_the_work_is_kept(world: World) -> None:
    out, stays = Screen(), Screen()
    gone = await world.attach(await world.session("usr_a"), out)
    await world.attach(await world.session("usr_b"), stays)
    assert len(await _judged(world, lambda live: _again(live, ["b"]))) == 1
    assert (out.cuts, stays.cuts) == ([EndReason.POLICY], [])
    after = await world.broker.attachments.viewer_lost(gone, out.cuts[0])
    assert (after.state, after.end_reason) == (SessionState.DISCONNECTED, EndReason.POLICY)
    event = next(event for event in world.audit.events if event.name == "cut-viewer")
    assert (event.outcome, event.session_id) == ("denied", gone.session.id)
    assert event.details["code"] == "not_assigned"


async def test_changed_terms_reach_the_viewer_and_the_table(world: World) -> None:
    screen = Screen()
    viewer = await world.attach(await world.session("usr_a"), screen)
    asked = request(username="a", user_id="usr_a", now=world.clock.now())
    rules = [{"id": "T-03", "when": {"users": ["a"]}, "terms": {"view_only": True, "total_limit": "1h"}}]
    changed = engine(rules).decide(asked)
    for _ in range(2):
        await _judged(world, lambda _live: Answer(changed))
    assert [grant.obligations.view_only for grant in screen.grants] == [True]
    after = await world.look(viewer.session.id)
    assert after.obligations.view_only
    assert after.expires_at == after.created_at + timedelta(hours=1)
    event = next(event for event in world.audit.events if event.name == "change-grant")
    assert "T-03" in str(event.details["rules"])


async def test_a_new_basis_is_recorded_even_on_the_same_terms(world: World) -> None:
    """Who began by normal policy and goes on by a declaration alone: the audit says so from that moment on."""
    screen = Screen()
    viewer = await world.attach(await world.session("usr_a"), screen)
    normal = {"normal_allowed": True, "declarations": None}
    widened = {"normal_allowed": False, "declarations": "bcp_1"}
    for basis in (normal, widened, widened):
        await _judged(world, lambda live, basis=basis: Answer(_again(live, ["a"]).decision, basis))  # type: ignore[misc]
    await world.broker.attachments.viewer_lost(viewer)
    said = {e.name: e.details for e in world.audit.events if e.name in ("change-grant", "lose-viewer")}
    assert [e.name for e in world.audit.events].count("change-grant") == 1
    assert {name: (d["normal_allowed"], d["declarations"]) for name, d in said.items()} == dict.fromkeys(
        ("change-grant", "lose-viewer"), (False, "bcp_1")
    )


async def test_judgement_that_fails_cuts(world: World) -> None:
    screen = Screen()
    await world.attach(await world.session(), screen)

    def broken(_live: LiveSession) -> Answer:
        raise RuntimeError("facts are gone")

    assert len(await _judged(world, broken)) == 1
    assert screen.cuts == [EndReason.POLICY]


async def test_cut_comes_even_when_it_cannot_be_recorded(small_world: World) -> None:
    screen = Screen()
    await small_world.attach(await small_world.session("usr_a"), screen)
    small_world.audit.broken = True
    await _judged(small_world, lambda live: _again(live, ["b"]))
    assert screen.cuts == [EndReason.POLICY]


async def test_of_two_judgements_the_newer_terms_are_kept_whichever_is_written_last(small_world: World) -> None:
    """Writing takes longer than judging: the second judgement does not wait for the first one's rows."""
    screen = Screen()
    viewer = await small_world.attach(await small_world.session("usr_a"), screen)
    asked = request(username="a", user_id="usr_a", now=small_world.clock.now())
    terms = [{"id": "T-04", "when": {"users": ["a"]}, "terms": {"total_limit": limit}} for limit in ("1h", "2h")]
    decisions = [engine([rule]).decide(asked) for rule in terms]
    findings = [await small_world.broker.sessions.rejudge(partial(_as_decided, made)) for made in decisions]
    for found in reversed(findings):
        await small_world.broker.sessions.write_down(found)
    after = await small_world.look(viewer.session.id)
    assert after.expires_at == after.created_at + timedelta(hours=2)
