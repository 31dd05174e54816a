"""What a drill pretends: who plays absent, what is withheld and why, and who may not pretend at all."""

from dataclasses import replace
from typing import Any

import pytest

from policy.bcp import declaration as steps
from policy.bcp.canonical import decode, digest, encode
from policy.bcp.injects import NONE, Inject, Injects, reason_of
from policy.bcp.model import RefusalCode as Code
from policy.bcp.model import Refused
from policy.model import Action, ReasonCode, Request
from tests.support.bcp import CITY, plan_ref, proposal
from tests.support.policy import NOON, context, resource, subject

NAMES = [f"staff{number}" for number in range(2_000)]


def asked(site: str | None = None, username: str = "sato", **circumstances: Any) -> Request:
    return Request(subject(username=username), Action.CONNECT, resource(site=site), context(**circumstances))


def drafted(**over: Any) -> Any:
    asked_for = proposal(**over)
    return steps.draft(asked_for, subject().user_id, declaration_id="bcp_1", tenant_id=CITY, plan=plan_ref(), now=NOON)


@pytest.mark.parametrize("percent", [10, 30, 90])
def test_about_so_many_play_absent_and_always_the_same(percent: int) -> None:
    injects = Injects(absent_percent=percent)
    absent = {name for name in NAMES if injects.absent("quake|第1回", name)}
    assert abs(len(absent) / len(NAMES) * 100 - percent) < 4
    assert absent == {name for name in NAMES if injects.absent("quake|第1回", name.upper())}
    assert absent != {name for name in NAMES if injects.absent("quake|第2回", name)}


def test_more_absent_take_in_those_who_were_absent_before() -> None:
    few, many = Injects(absent_percent=20), Injects(absent_percent=60)
    assert all(many.absent("d", name) for name in NAMES if few.absent("d", name))


def test_what_is_withheld_and_why() -> None:
    absent = Injects(absent_percent=90)
    away = next(name for name in NAMES if absent.absent("d", name))
    assert absent.withholds("d", asked(username=away)) is Inject.ABSENT
    down = Injects(sites_down=frozenset({"hq"}))
    assert down.withholds("d", asked("hq")) is Inject.SITE_DOWN
    assert down.withholds("d", asked("east")) is None
    assert down.withholds("d", asked(None)) is None
    assert Injects(directory_off=True).withholds("d", asked("hq")) is None
    assert NONE.withholds("d", asked("hq", seats_used=9, seats_total=9)) is None


@pytest.mark.parametrize(
    ("used", "total", "live", "why"),
    [
        (0, 1, False, None),
        (1, 3, False, None),
        (2, 3, False, Inject.HALF_CAPACITY),
        (2, 4, False, Inject.HALF_CAPACITY),
        (2, 4, True, None),
        (None, 4, False, Inject.HALF_CAPACITY),
        (0, 0, False, Inject.HALF_CAPACITY),
    ],
)
def test_half_the_seats_are_given_and_nobody_who_has_one_loses_it(
    used: int | None, total: int, live: bool, why: Inject | None
) -> None:
    request = asked(seats_used=used, seats_total=total, live=live)
    assert Injects(half_capacity=True).withholds("d", request) is why


@pytest.mark.parametrize("inject", [Inject.ABSENT, Inject.SITE_DOWN, Inject.HALF_CAPACITY])
def test_the_person_reads_that_it_is_a_drill(inject: Inject) -> None:
    reason = reason_of(inject)
    assert (reason.code, reason.text_ja[:4]) == (ReasonCode.DRILL_PRETENDS, "【訓練】")
    assert reason.text_en.startswith("[DRILL]")


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"injects": Injects(half_capacity=True)}, Code.INJECTS_NOT_IN_DRILL),
        ({"drill": True, "injects": Injects(absent_percent=91)}, Code.INJECTS_TOO_MANY),
        ({"drill": True, "injects": Injects(absent_percent=-1)}, Code.INJECTS_TOO_MANY),
    ],
)
def test_only_drills_pretend_and_not_everything(over: dict[str, Any], code: Code) -> None:
    with pytest.raises(Refused) as refused:
        drafted(**over)
    assert refused.value.refusal.code is code


def test_what_is_pretended_is_signed_and_survives_the_store() -> None:
    plain = drafted(drill=True)
    made = replace(plain, injects=Injects(30, True, frozenset({"hq", "east"}), True))
    assert decode(encode(made)) == made
    assert digest(made) != digest(plain)
    assert digest(replace(made, injects=Injects(31, True, frozenset({"hq", "east"}), True))) != digest(made)


def test_what_pretends_nothing_is_spelled_as_before() -> None:
    """Rows and files that were sealed before there were injects stay good."""
    content = encode(drafted(drill=True))
    assert "injects" not in content
    assert decode(content).injects == NONE


def test_the_proposal_and_what_becomes_of_it_name_the_same_people() -> None:
    asked_for = proposal(drill=True, reason=" 第1回訓練 ")
    assert drafted(drill=True, reason=" 第1回訓練 ").drill_name == asked_for.drill_name
