"""What is remembered of desktops that did not answer, and which one is offered in their place."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broker.models import DesktopSession, Pool, PoolKind, Seats
from broker.silent import REMEMBER, SilentTargets
from common.ids import DesktopId, PoolId, TenantId, UserId
from gateway.judge import Judgement
from gateway.unreachable import Unreachable
from policy.bcp.service import Judged
from policy.model import Zone
from tests.support.clock import FakeClock
from tests.support.policy import engine, request
from tests.unit.broker.test_limits import SESSION

KATO = UserId("usr_kato")


def pool(pool_id: str, **over: Any) -> Pool:
    values: dict[str, Any] = {
        "tenant_id": TenantId("city"), "id": PoolId(pool_id), "name_ja": "端末", "name_en": "PC",
        "kind": PoolKind.STATIC, "pool_class": "standard", "zone": Zone.LGWAN, "site": "hq", "max_desktops": 5,
    }  # fmt: skip
    return Pool(**(values | over))


OWN = pool("own")


def judgement(of: Pool, *, allowed: bool = True, used: int = 0) -> Judgement:
    rules = [{"id": "T-01", "when": {"users": ["sato" if allowed else "nobody"]}}]
    decision = engine(rules).decide(request())
    return Judgement(of, Seats(used=used, queued=0, total=5), Judged(decision, (), decision.allowed))


def held(of: Pool, desktop_id: str = "pc-1", user_id: UserId = KATO) -> DesktopSession:
    return replace(SESSION, user_id=user_id, pool_id=of.id, desktop_id=DesktopId(desktop_id))


@pytest.fixture
def known(clock: FakeClock) -> Unreachable:
    """Kato's own PC did not answer."""
    found = Unreachable(SilentTargets(clock))
    found.failed(held(OWN), own=True)
    return found


def test_it_is_known_of_this_person_and_pool_for_a_while(known: Unreachable, clock: FakeClock) -> None:
    assert known.since(KATO, OWN, None) == known.since(KATO, OWN, held(OWN)) == clock.now()
    assert known.since(UserId("usr_other"), OWN, None) is None
    assert known.since(KATO, pool("other"), None) is None
    clock.advance(REMEMBER - timedelta(seconds=1))
    assert known.since(KATO, OWN, None)
    clock.advance(1)
    assert known.since(KATO, OWN, None) is None


def test_an_answer_ends_it_and_pools_that_start_desktops_have_none(known: Unreachable) -> None:
    assert known.since(KATO, pool("own", kind=PoolKind.AGENT), None) is None
    known.answered(held(OWN))
    assert known.since(KATO, OWN, None) is None


def test_of_pcs_that_are_anybodys_a_silent_one_says_nothing_about_the_others(known: Unreachable) -> None:
    shared = pool("shared")
    known.failed(held(shared, "pc-2"), own=False)
    assert known.since(KATO, shared, held(shared, "pc-2")), "the session cannot be used"
    assert known.since(KATO, shared, None) is None, "they get another one"
    assert known.since(KATO, shared, held(shared, "pc-3")) is None


def test_what_is_offered_is_open_of_the_same_zone_has_a_seat_and_lies_elsewhere_if_it_can(known: Unreachable) -> None:
    also = pool("also-down")
    known.failed(held(also, "pc-9"), own=True)
    near, far = judgement(pool("a-near")), judgement(pool("z-far", site="annex"))
    unfit = [
        judgement(OWN),
        judgement(pool("shut", site="annex"), allowed=False),
        judgement(pool("full", site="annex"), used=5),
        judgement(pool("net", site="annex", zone=Zone.INTERNET)),
        judgement(replace(also, site="annex")),
    ]
    assert known.instead_of(KATO, OWN, unfit, {}) is None
    assert known.instead_of(KATO, OWN, [*unfit, near], {}) == near.pool
    assert known.instead_of(KATO, OWN, [near, *unfit, far], {}) == far.pool
