"""Who gains and loses what under another policy, on policies small enough to read."""

from datetime import timedelta
from typing import Any

import pytest

from common.errors import ErrorCode, KakehashiError
from common.ids import PoolId, UserId
from policy.model import Action, Resource, Subject
from policy.situations import MOST, Cancelled, situations
from policy.what_if import TERMS, Count, Effect, compare
from tests.support import policy as support
from tests.support.policy import NOON
from tests.support.policy_strategies import NETWORKS

ALL = ("desktop:connect", "desktop:view", "desktop:control")
STAFF: dict[str, Any] = {"id": "N-01", "when": {"groups": ["telework"]}}


def person(name: str, **facts: Any) -> Subject:
    return support.subject(username=name, user_id=UserId(f"usr_{name}"), **facts)


def pool(name: str = "office-desktop", **facts: Any) -> Resource:
    return support.resource(pool_id=PoolId(name), **facts)


PEOPLE = [person("abe"), person("baba"), person("chiba", groups=frozenset({"trainee"}))]


def effect(before: list[dict[str, Any]], after: list[dict[str, Any]], *pools: Resource, **parts: Any) -> Effect:
    old = support.engine(before, **parts)
    new = support.engine(after, **parts)
    return compare(old, new, PEOPLE, pools or (pool(),), situations(old, new, NOON))


def test_the_same_policy_changes_nothing() -> None:
    found = effect([STAFF], [STAFF])
    assert (found.gainers, found.losers, found.counts, found.changes) == (frozenset(), frozenset(), (), ())


def test_a_new_permit_gives_and_a_dropped_one_takes() -> None:
    trainees = {"id": "N-02", "when": {"groups": ["trainee"]}}
    found = effect([STAFF], [trainees], pool("a"), pool("b"))
    assert sorted(found.gainers) == ["chiba"]
    assert sorted(found.losers) == ["abe", "baba"]
    (lost, gained) = found.changes
    assert (lost.gain, lost.what, lost.pools, lost.usernames) == (False, ALL, ("a", "b"), ("abe", "baba"))
    assert (gained.gain, gained.what, gained.usernames) == (True, ALL, ("chiba",))
    assert found.counts == tuple(
        Count(PoolId(name), action, 1, 2) for name in "ab" for action in (Action.CONNECT, Action.VIEW, Action.CONTROL)
    )


def test_hours_that_move_give_and_take_at_once() -> None:
    def during(window: str) -> list[dict[str, Any]]:
        return [STAFF | {"when": {"groups": ["telework"], "hours": {"windows": [window], "days": "workdays"}}}]

    found = effect(during("08:00-17:00"), during("09:00-18:00"))
    assert found.gainers == found.losers == {"abe", "baba"}
    old, new = support.engine(during("08:00-17:00")), support.engine(during("09:00-18:00"))
    tried = situations(old, new, NOON)
    told = {change.gain: tried[change.situations[0]].context.now - NOON for change in found.changes}
    assert told == {True: timedelta(hours=5), False: timedelta(hours=20)}  # 17:00 today, 08:00 tomorrow


def test_terms_alone_and_what_they_open() -> None:
    def given(**terms: Any) -> list[dict[str, Any]]:
        return [STAFF | {"terms": terms}]

    (longer,) = effect(given(), given(total_limit="9h")).changes
    assert (longer.gain, longer.what) == (True, (TERMS,))
    (worse,) = effect(given(quality="high"), given(quality="slow")).changes
    assert (worse.gain, worse.what) == (False, (TERMS,))
    (better,) = effect(given(quality="slow"), given()).changes
    assert (better.gain, better.what) == (True, (TERMS,))
    (pasting,) = effect(given(), given(clipboard_in_chars=100)).changes
    assert (pasting.gain, pasting.what) == (True, (Action.CLIPBOARD_IN,))
    (looking,) = effect(given(), given(view_only=True)).changes
    assert (looking.gain, looking.what) == (False, (Action.CONTROL,))


@pytest.mark.parametrize(
    ("condition", "fact"),
    [
        ({"totp_age": {"at_most": "8h"}}, "one-time code older than 8h"),
        ({"password_age": {"at_most": "2h"}}, "password checked more than 2h ago"),
        ({"user_sessions": {"below": 2}}, "2 other sessions of the person"),
        ({"seats_used_percent": {"below": 90}}, "90 % of the seats used"),
        ({"gateway_load_percent": {"below": 80}}, "gateway load 80 %"),
        ({"factors": ["totp"]}, None),
    ],
)
def test_a_limit_on_another_fact_is_found_where_it_bites(condition: dict[str, Any], fact: str | None) -> None:
    before, after = [STAFF], [STAFF | {"when": {"groups": ["telework"], **condition}}]
    found = effect(before, after)
    if fact is None:
        assert found.changes == ()  # everybody tried has the own authenticator, and the policy names no other
        return
    (lost,) = found.changes
    tried = situations(support.engine(before), support.engine(after), NOON)
    assert (lost.gain, {tried[place].fact_en for place in lost.situations}) == (False, {fact})


def test_the_days_of_the_week_are_used_up_where_a_rule_counts_them() -> None:
    capped, free = STAFF | {"when": {"groups": ["telework"], "days_a_week": 4}}, STAFF | {"id": "N-02"}
    for before, after, gain in (([STAFF], [capped], False), ([capped], [capped, free], True)):
        (change,) = effect(before, after).changes  # in the second neither the old rule changed nor the new one counts
        tried = situations(support.engine(before), support.engine(after), NOON)
        assert change.gain is gain
        assert {tried[place].fact_en for place in change.situations} == {"4 days of the week used"}
        assert {tried[place].context.days_worked for place in change.situations} == {4}
    weekly = support.engine([STAFF | {"when": {"groups": ["telework"], "days_a_week": 7}}])
    assert {one.fact_en for one in situations(weekly, weekly, NOON)} == {None}


def test_a_temporary_authenticator_is_tried_when_a_changed_rule_names_it() -> None:
    narrow = {"id": "N-09", "effect": "limit", "when": {"factors": ["temporary"]}, "oblige": {"view_only": True}}
    found = effect([STAFF], [STAFF, narrow], pool(pool_class="low-privilege"))
    (lost,) = found.changes
    assert (lost.gain, lost.what) == (False, (Action.CONTROL,))


def test_each_network_is_a_place_and_so_is_elsewhere() -> None:
    engine = support.engine([STAFF], networks=NETWORKS)
    places = {one.place.name_en for one in situations(engine, engine, NOON)}
    assert places == {"elsewhere", "Office", "Branch", "Branch, Office"}
    before = [STAFF | {"when": {"groups": ["telework"], "networks": ["office"]}}]
    found = effect(before, [STAFF], networks=NETWORKS)
    old, new = support.engine(before, networks=NETWORKS), support.engine([STAFF], networks=NETWORKS)
    tried = situations(old, new, NOON)
    (gained,) = found.changes
    assert {tried[place].place.name_ja for place in gained.situations} == {"その他の場所", "支所"}


def test_hours_and_networks_of_the_new_policy_alone_are_tried_too() -> None:
    who = {"groups": ["telework"]}
    early = {"id": "N-02", "when": who | {"hours": {"windows": ["09:00-10:00"], "days": ["thu"]}}}
    (gained,) = effect([], [early]).changes
    assert gained.gain
    near = [{"id": "N-03", "when": who | {"networks": ["office"]}}]
    more = NETWORKS | {"office": {"name": {"ja": "庁舎", "en": "Office"}, "cidrs": ["10.0.0.0/8", "198.51.100.0/24"]}}
    old, new = support.engine(near, networks=NETWORKS), support.engine(near, networks=more)
    tried = situations(old, new, NOON)
    (gained, lost) = sorted(compare(old, new, PEOPLE, [pool()], tried).changes, key=lambda change: not change.gain)
    assert {str(tried[place].place.source) for place in gained.situations} == {"198.51.100.0"}
    assert {str(tried[place].place.source) for place in lost.situations} == {"2001:db8::"}


def test_days_far_ahead_that_a_policy_names_are_tried() -> None:
    ending = [STAFF | {"when": {"groups": ["telework"], "dates": {"until": "2027-03-31"}}}]
    (lost,) = effect([STAFF], ending).changes
    assert not lost.gain
    never = [STAFF | {"when": {"groups": ["telework"], "dates": {"until": "9999-12-31"}}}]
    assert effect([STAFF], never).changes == ()


def test_a_withdrawn_question_stops_wherever_it_is() -> None:
    old, new = support.engine([STAFF]), support.engine([])
    with pytest.raises(Cancelled):
        situations(old, new, NOON, lambda: True)
    tried = situations(old, new, NOON) * 5
    asked = iter(range(100))
    with pytest.raises(Cancelled):
        compare(old, new, PEOPLE[:1], [pool()], tried, lambda: next(asked) == 3)
    assert next(asked) == 4, "in the midst of one person and pool"


def test_a_text_made_to_have_millions_of_situations_is_refused() -> None:
    """A minute's work to write; without a bound it filled the memory."""
    networks = {f"n{i}": {"name": {"ja": "線", "en": "line"}, "cidrs": [f"10.0.{i}.0/24"]} for i in range(200)}
    rules = [
        STAFF | {"id": f"N-{i}", "when": {"totp_age": {"at_most": f"{i}m"}, "hours": {"windows": [f"{i:02}:00-24:00"]}}}
        for i in range(1, 24)
    ]
    bomb = support.engine(rules, networks=networks)
    assert 200 * 23 < MOST < 200 * 23 * 23
    with pytest.raises(KakehashiError) as refused:
        situations(support.engine([STAFF]), bomb, NOON)
    assert refused.value.code is ErrorCode.TOO_LARGE
