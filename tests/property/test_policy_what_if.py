"""What another policy changes, on random policies: right for every person, and nothing left out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.ids import UserId
from policy.model import Request
from policy.situations import ordinary, situations
from policy.what_if import Effect, compare
from tests.support import policy as support
from tests.support.policy_strategies import NETWORKS, rule_lists, rules, safe_requests, whens

SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
PERMITS = st.lists(
    st.builds(
        lambda number, when: {"id": f"P-{number}", "effect": "permit", "when": when},
        st.integers(0, 10**9),
        whens(1, only=["groups", "hours", "dates", "networks", "pools", "users", "duties"], most=2),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda rule: rule["id"],
)
OTHER = {"office": NETWORKS["office"], "branch": {"name": {"ja": "支所", "en": "Branch"}, "cidrs": ["10.9.0.0/16"]}}


def _told(found: Effect, username: str, pool_id: str) -> set[tuple[bool, str, int]]:
    return {
        (change.gain, what, place)
        for change in found.changes
        if username in change.usernames and pool_id in change.pools
        for what in change.what
        for place in change.situations
    }


@SLOW
@given(PERMITS, PERMITS, rule_lists(), st.lists(safe_requests, min_size=2, max_size=8))
def test_who_is_judged_once_for_many_comes_out_as_if_alone(
    before: list[dict[str, Any]], after: list[dict[str, Any]], both: list[dict[str, Any]], asked: list[Request]
) -> None:
    old = support.engine([*before, *both], networks=NETWORKS)
    new = support.engine([*after, *both], networks=OTHER)
    people = [replace(r.subject, user_id=UserId(f"usr_{i}"), username=f"s{i}") for i, r in enumerate(asked)]
    pools = list({r.resource.pool_id: r.resource for r in asked}.values())
    tried = situations(old, new, asked[0].context.now)
    whole = compare(old, new, people, pools, tried)
    for person in people:
        for pool in pools:
            alone = compare(old, new, [person], [pool], tried)
            assert _told(whole, person.username, pool.pool_id) == _told(alone, person.username, pool.pool_id)


@SLOW
@given(PERMITS, PERMITS, rules(effects=("permit",), prefix="X"), safe_requests, st.integers(0, 14 * 86_400), st.data())
def test_no_moment_and_no_place_is_left_out(
    before: list[dict[str, Any]], after: list[dict[str, Any]], more: dict[str, Any], asked: Request, later: int,
    data: st.DataObject,
) -> None:  # fmt: skip
    """If the two differ for somebody at any moment of the next two weeks, from anywhere, then that is told."""
    old = support.engine([*before, more], networks=NETWORKS)
    new = support.engine([*after, more], networks=OTHER, calendar={"holidays": ["2026-06-03"]})
    now = asked.context.now
    source = data.draw(st.sampled_from([asked.context.source or ordinary(now).source, ordinary(now).source]))
    context = replace(ordinary(now), now=now + timedelta(seconds=later), source=source)
    request = replace(asked, context=context)
    had, has = (engine.decide(request).grant for engine in (old, new))
    found = compare(old, new, [asked.subject], [asked.resource], situations(old, new, now))
    told = {(change.gain, what) for change in found.changes for what in change.what}
    if has and not had:
        assert (True, "desktop:connect") in told
    if had and not has:
        assert (False, "desktop:connect") in told
    if had and has and had.obligations.total_limit != has.obligations.total_limit:
        assert (has.obligations.total_limit > had.obligations.total_limit, "terms") in told
