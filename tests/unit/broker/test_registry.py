"""Cutting live viewers and judging them again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from broker.basis import Answer
from broker.models import EndReason
from broker.registry import LiveRegistry, LiveSession, Verdict
from common.ids import DesktopId, PoolId, SessionId, TenantId, UserId, WebSessionId
from policy.model import Grant
from tests.support.policy import engine, grant, request

CITY = TenantId("city")
NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


class Screen:
    """One viewer's callbacks."""

    def __init__(self) -> None:
        self.cuts: list[EndReason] = []
        self.grants: list[Grant] = []


def _enter(registry: LiveRegistry, session: str = "ses_1", number: int = 1, **over: Any) -> Screen:
    screen = Screen()
    values: dict[str, Any] = {
        "tenant_id": CITY,
        "session_id": SessionId(session),
        "user_id": UserId("usr_test"),
        "pool_id": PoolId("office-desktop"),
        "desktop_id": DesktopId(f"dsk_{session}"),
        "web_session_id": WebSessionId("web_1"),
        "number": number,
        "grant": grant(),
        "since": NOW,
    }
    registry.register(LiveSession(**(values | over)), cut=screen.cuts.append, regrant=screen.grants.append)
    return screen


def _decide(**terms: Any) -> Answer:
    return Answer(engine([{"id": "T-01", "when": {"users": ["sato"]}, "terms": terms}]).decide(request()))


def _refuse() -> Answer:
    return Answer(engine([{"id": "T-01", "when": {"users": ["nobody"]}}]).decide(request()))


@pytest.mark.parametrize(
    "which",
    [
        {"session_id": "ses_1"},
        {"user_id": "usr_a"},
        {"pool_id": "pool_a"},
        {"desktop_id": "dsk_ses_1"},
        {"web_session_id": "web_a"},
        {"user_id": "usr_a", "web_session_id": "web_a"},
    ],
)
def test_cut_by_any_id_takes_those_and_no_others(which: dict[str, Any]) -> None:
    registry = LiveRegistry()
    hit = _enter(registry, "ses_1", user_id="usr_a", pool_id="pool_a", web_session_id="web_a")
    spared = _enter(registry, "ses_2", user_id="usr_b", pool_id="pool_b", web_session_id="web_b")
    foreign = _enter(
        registry, "ses_3", tenant_id="town", user_id="usr_a", pool_id="pool_a", web_session_id="web_a",
        desktop_id="dsk_ses_1",
    )  # fmt: skip
    assert registry.cut(EndReason.ADMIN, tenant_id=CITY, **which) == 1
    assert (hit.cuts, spared.cuts, foreign.cuts) == ([EndReason.ADMIN], [], [])
    assert registry.cut(EndReason.POLICY, tenant_id=CITY, **which) == 0
    assert hit.cuts == [EndReason.ADMIN]


def test_cut_needs_to_know_whom() -> None:
    with pytest.raises(ValueError, match="which"):
        LiveRegistry().cut(EndReason.ADMIN, tenant_id=CITY)


def test_newer_viewer_replaces_the_older_never_the_other_way_round() -> None:
    registry = LiveRegistry()
    first = _enter(registry, number=1)
    second = _enter(registry, number=2)
    late = _enter(registry, number=1)
    assert (first.cuts, second.cuts, late.cuts) == ([EndReason.TAKEN_OVER], [], [])
    assert not registry.remove(SessionId("ses_1"), 1)
    assert len(registry) == 1
    assert registry.remove(SessionId("ses_1"), 2)
    assert registry.live() == ()


def test_a_broken_callback_spares_nobody_else() -> None:
    registry = LiveRegistry()
    live = LiveSession(
        CITY, SessionId("ses_0"), UserId("u"), PoolId("p"), DesktopId("d"), WebSessionId("w"), 1, grant(), NOW
    )

    def broken(reason: EndReason) -> None:
        raise RuntimeError(reason)

    registry.register(live, cut=broken, regrant=lambda _grant: None)
    other = _enter(registry)
    assert registry.cut_all(EndReason.GATEWAY_STOPPING) == 2
    assert other.cuts == [EndReason.GATEWAY_STOPPING]
    assert len(registry) == 0


async def test_rejudge_leaves_alone_what_is_as_before() -> None:
    registry = LiveRegistry()
    screen = _enter(registry)
    assert await registry.rejudge(lambda _live: _decide()) == ()
    assert (screen.cuts, screen.grants) == ([], [])


async def test_rejudge_hands_on_changed_terms_once() -> None:
    registry = LiveRegistry()
    screen = _enter(registry)
    for _ in range(2):
        await registry.rejudge(lambda _live: _decide(idle_limit="3m"))
    assert [given.obligations.idle_limit for given in screen.grants] == [timedelta(minutes=3)]
    assert screen.cuts == []


async def test_rejudge_cuts_what_is_no_longer_allowed() -> None:
    registry = LiveRegistry()
    screen, other = _enter(registry), _enter(registry, "ses_2", user_id=UserId("usr_b"))
    found = await registry.rejudge(lambda live: _refuse() if live.user_id == "usr_test" else _decide())
    assert (screen.cuts, other.cuts) == ([EndReason.POLICY], [])
    assert [(finding.live.session_id, finding.verdict) for finding in found] == [("ses_1", Verdict.CUT)]
    assert found[0].reason is not None


async def test_rejudge_that_fails_cuts_only_that_viewer() -> None:
    registry = LiveRegistry()
    screen, other = _enter(registry), _enter(registry, "ses_2", user_id=UserId("usr_b"))

    def decide(live: LiveSession) -> Answer:
        if live.user_id == "usr_test":
            raise LookupError("directory is gone")
        return _decide()

    found = await registry.rejudge(decide)
    assert (screen.cuts, other.cuts) == ([EndReason.POLICY], [])
    assert [finding.reason for finding in found] == [None]


async def test_rejudge_of_a_thousand_viewers_is_quick_enough_for_every_second() -> None:
    registry = LiveRegistry()
    for number in range(1000):
        _enter(registry, f"ses_{number}")
    decision = _decide()
    started = datetime.now(UTC)  # noqa: TID251 - the machine's time is the subject
    await registry.rejudge(lambda _live: decision)
    assert datetime.now(UTC) - started < timedelta(seconds=0.5)  # noqa: TID251 - likewise
