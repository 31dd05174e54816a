"""`stale_grant`: what policy says now reaches viewers that are attached already, and is recorded."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from broker.models import EndReason
from broker.registry import LiveSession, Rejudged
from broker.states import SessionState
from policy.model import Decision, Request
from tests.integration.broker.conftest import Screen, World
from tests.support.policy import engine, request


def _again(live: LiveSession, users: list[str]) -> Decision:
    asked = live.grant.request
    rules = [{"id": "T-02", "when": {"users": users}}]
    return engine(rules).decide(Request(asked.subject, asked.action, asked.resource, asked.context))


def _as_decided(decision: Decision, _live: LiveSession) -> Decision:
    return decision


async def _judged(world: World, decide: Callable[[LiveSession], Decision]) -> tuple[Rejudged, ...]:
    """Judged again, and written down."""
    found = await world.broker.sessions.rejudge(decide)
    await world.broker.sessions.write_down(found)
    return found


async def test_removed_person_is_cut_and_the_work_is_kept(world: World) -> None:
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
        await _judged(world, lambda _live: changed)
    assert [grant.obligations.view_only for grant in screen.grants] == [True]
    after = await world.look(viewer.session.id)
    assert after.obligations.view_only
    assert after.expires_at == after.created_at + timedelta(hours=1)
    event = next(event for event in world.audit.events if event.name == "change-grant")
    assert "T-03" in str(event.details["rules"])


async def test_judgement_that_fails_cuts(world: World) -> None:
    screen = Screen()
    await world.attach(await world.session(), screen)

    def broken(_live: LiveSession) -> Decision:
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
