"""What an official reads before signing in the dark: how many at once, when the others, from where, and every name."""

import threading
from datetime import datetime

import pytest

from broker.models import Pool, PoolKind, Seats
from broker.settings import TriageSettings
from common.ids import PoolId, UserId
from gateway.planning import PlanningSettings
from gateway.schemas_what_if import PersonAnswer, PlaceAnswer, ToldAnswer, WhatIfAnswer
from gateway.what_if_rendering import what_if
from policy.bcp.plan import Plan
from policy.bcp.what_if import difference, population_of
from policy.calendar import JST
from policy.model import Zone
from policy.schema import PolicyDocument
from tests.support import policy as support
from tests.support.bcp import CITY, NETWORKS, plan_dict, proposal, widening

NIGHT = datetime(2026, 6, 3, 22, 30, tzinfo=JST)
OFFICE = PoolId("office")
STAFF = [
    support.subject(username=f"s{i:03}", user_id=UserId(f"usr_{i}"), groups=frozenset({"shelter"})) for i in range(250)
]
BASE = PolicyDocument.model_validate(support.policy([], networks=NETWORKS))
DAY = widening("W1", hours={"windows": ["07:00-22:00"]})
EAST = widening("W2", places={"networks": ["east"]})


def shown(*lines: dict[str, object], all_names: bool = False) -> WhatIfAnswer:
    plan = Plan.model_validate(plan_dict(first=list(lines), second=[], drill=None))
    population = population_of(STAFF, [support.resource(pool_id=OFFICE)])
    return what_if(
        difference(BASE, plan, proposal(), population, CITY, NIGHT, threading.Event()),
        pools={OFFICE: Pool(CITY, OFFICE, "名前", "Name", PoolKind.AGENT, "office", Zone.LGWAN, None, max_desktops=9)},
        seats={OFFICE: Seats(used=0, total=300, queued=0)},
        sites=(),
        settings=PlanningSettings(),
        lines=TriageSettings(),
        load_mbps={},
        people={p.username: PersonAnswer(username=p.username, display_name="名", department=None) for p in STAFF},
        all_names=all_names,
        told=ToldAnswer(people=0, with_address=0, officials=0, channels=[]),
        load_percent=0,
        elapsed_ms=0,
    )


def test_at_night_it_says_that_nobody_gains_now_and_when_the_first_do() -> None:
    found = shown(DAY)
    (gain,) = found.gains
    assert (found.gain_people, found.gain_now, gain.people, gain.now) == (250, 0, 250, 0)
    assert gain.later_at == datetime(2026, 6, 4, 7, tzinfo=JST)
    assert gain.places is None
    assert (found.tried_from, found.capacity[0].everybody) == (NIGHT, 250)


def test_what_is_open_at_one_place_only_says_where() -> None:
    (gain,) = shown(EAST).gains
    assert (gain.now, gain.later_at) == (250, None)
    assert gain.places == [PlaceAnswer(name_ja="東支所", name_en="East branch")]
    (both,) = shown(DAY, EAST).gains
    assert (both.now, both.later_at, both.places) == (250, None, None)


@pytest.mark.parametrize(("all_names", "named", "more"), [(False, 200, 50), (True, 250, 0)])
def test_everybody_is_named_when_asked_for(all_names: bool, named: int, more: int) -> None:
    (gain,) = shown(DAY, all_names=all_names).gains
    assert (len(gain.named), gain.more) == (named, more)
    assert gain.named[-1].username == f"s{named - 1:03}"
