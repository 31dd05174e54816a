"""What triage takes from register and declarations: classes, seats, reserves, and for whom others make room."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from broker.duties.models import Priority
from broker.models import Pool, PoolKind
from broker.settings import TriageSettings
from broker.triage.room import Reserve
from broker.triage.situation import Situation
from common.ids import PoolId, TenantId, UserId
from policy.bcp.model import Level, Scope, ScopeKind
from policy.model import Zone
from tests.support.triage import CITY, POOL, Office, declared

NOW = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
P0, P1, P2, P3, P4 = Priority
CHIEF, SHELTER, SATO = UserId("usr_chief"), UserId("usr_shelter"), UserId("usr_sato")


def pool(**over: Any) -> Pool:
    values: dict[str, Any] = {
        "tenant_id": CITY,
        "id": PoolId(POOL),
        "name_ja": "庁内",
        "name_en": "Office",
        "kind": PoolKind.AGENT,
        "pool_class": "standard",
        "zone": Zone.LGWAN,
        "site": "hq",
        "max_desktops": 100,
    }
    return Pool(**(values | over))


@pytest.fixture
def office() -> Office:
    return Office({"chief": P0, "shelter": P1, "tax": P2, "sato": None})


@pytest.fixture
def situation(office: Office) -> Situation:
    made = Situation(TriageSettings())
    made.bind(CITY, book=lambda: office.book, active=lambda: office.active)
    return made


def test_without_a_register_and_a_declaration_all_are_alike() -> None:
    calm = Situation(TriageSettings())
    assert calm.priority("chief", POOL) is P4
    assert calm.reserve(pool(), 100) == Reserve()
    assert (calm.seats(pool()), calm.lines(), calm.contact(pool())) == (100, {}, None)
    assert calm.knows(TenantId("anybody"))


def test_other_tenants_are_not_known(situation: Situation) -> None:
    assert situation.knows(CITY)
    assert not situation.knows(TenantId("town"))


def test_the_class_is_that_of_the_duty_in_this_pool(situation: Situation) -> None:
    assert [situation.priority(name, POOL) for name in ("chief", "shelter", "tax", "sato", "nobody")] == [
        P0, P1, P2, P4, P4,
    ]  # fmt: skip
    assert situation.priority("chief", "elsewhere") is P4


def test_substitutes_carry_the_class_while_something_is_declared(situation: Situation, office: Office) -> None:
    register = office.book.register
    stands_in = replace(register.duties["duty-p0"], substitutes=(office.book.member("sato").id,))  # type: ignore[union-attr]  # is there
    office.book = type(office.book)(replace(register, duties={**register.duties, "duty-p0": stands_in}))
    assert situation.priority("sato", POOL) is P4
    office.active = (declared(NOW),)
    assert situation.priority("sato", POOL) is P0
    assert situation.reserve(pool(), 100).p0 == 2


def test_reserves_grow_with_a_declaration_and_its_plan(situation: Situation, office: Office) -> None:
    people = {f"shelter{number}": P1 for number in range(90)}
    office.set({"chief": P0, **people})
    assert situation.reserve(pool(), 100) == Reserve(1, 1)
    office.active = (declared(NOW),)
    assert situation.reserve(pool(), 100) == Reserve(1, 30)
    lines = ({"pool": POOL, "seats": 150, "reserved_percent": 60},)
    office.active = (declared(NOW, capacity=lines),)
    assert (situation.seats(pool()), situation.reserve(pool(), 150)) == (150, Reserve(1, 90))


def test_a_line_of_the_second_level_waits_for_it(situation: Situation, office: Office) -> None:
    lines = ({"pool": POOL, "level": "second", "seats": 150},)
    office.active = (declared(NOW, capacity=lines),)
    assert situation.seats(pool()) == 100
    office.active = (declared(NOW, level=Level.SECOND, capacity=lines),)
    assert situation.seats(pool()) == 150
    assert situation.seats(pool(max_desktops=300)) == 300  # a plan only widens


def test_for_whom_others_make_room(situation: Situation, office: Office) -> None:
    assert not situation.claims(SHELTER, "shelter", P1, pool())
    for over, made in (
        ({}, True),
        ({"level": Level.SECOND}, True),
        ({"level": Level.ALERT}, False),
        ({"drill": True, "ends_at": NOW + timedelta(hours=2)}, False),
        ({"scope": Scope(ScopeKind.SITE, frozenset({"hq"}))}, True),
        ({"scope": Scope(ScopeKind.SITE, frozenset({"east"}))}, False),
        ({"scope": Scope(ScopeKind.DEPARTMENT, frozenset({"総務課"}))}, True),
        ({"scope": Scope(ScopeKind.DUTY, frozenset({"duty-p1"}))}, True),
        ({"scope": Scope(ScopeKind.DUTY, frozenset({"duty-p0"}))}, False),
    ):
        office.active = (declared(NOW, **over),)
        assert situation.claims(SHELTER, "shelter", P1, pool()) is made, over
        assert not situation.claims(SATO, "sato", P4, pool())
    office.active = (declared(NOW),)
    assert situation.contact(pool()) is not None
    narrowed = replace(office.active[0].declaration, blocked=frozenset({SHELTER}))
    office.active = (replace(office.active[0], declaration=narrowed),)
    assert not situation.claims(SHELTER, "shelter", P1, pool())
    assert situation.claims(CHIEF, "chief", P0, pool())
    assert not situation.claims(CHIEF, "chief", P0, pool(tenant_id=TenantId("town")))


def test_only_desktops_of_session_hosts_can_be_parked(situation: Situation) -> None:
    assert situation.parking(pool(max_desktops=7)) == 3
    assert situation.parking(pool(kind=PoolKind.STATIC)) == 0
