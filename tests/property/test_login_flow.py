"""The login flow against every event in every order: exhaustively to depth four, and at random to thirty."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from auth.login_flow import (
    START,
    Accepted,
    CodesSeen,
    Enrolled,
    Event,
    Factor,
    Flow,
    Need,
    PasswordChanged,
    PasswordProven,
    Refusal,
    Rejected,
    SecondFactorProven,
    advance,
    verdict,
)
from common.ids import UserId

ALICE, BOB = UserId("usr_alice"), UserId("usr_bob")


def events_of(user: UserId) -> list[Event]:
    return [
        PasswordProven(user, enrolled=True),
        PasswordProven(user, enrolled=False),
        PasswordProven(user, enrolled=True, must_change=True),
        PasswordProven(user, enrolled=False, must_change=True),
        PasswordProven(user, enrolled=True, degraded=True),
        PasswordProven(user, enrolled=False, degraded=True),
        SecondFactorProven(user, Factor.TOTP),
        SecondFactorProven(user, Factor.RECOVERY_CODE),
        SecondFactorProven(user, Factor.RECOVERY_CODE, must_enrol=True),
        SecondFactorProven(user, Factor.PASSWORD),
        SecondFactorProven(user, Factor.TOTP, temporary=True),
        SecondFactorProven(user, Factor.ACTIVATION_CODE),
        PasswordChanged(user),
        Enrolled(user),
        CodesSeen(user),
    ]


EVENTS = events_of(ALICE) + events_of(BOB)


def follow(events: list[Event]) -> None:
    """Walk and check every invariant at every step, against a naive record of what happened since the last password."""
    flow: Flow = START
    since: list[Event] = []
    for event in events:
        before = flow
        flow, judged = advance(flow, event)
        if isinstance(judged, Rejected):
            assert flow in (before, START)
            if judged.refusal is Refusal.OTHER_IDENTITY:
                assert flow == START
                since = []
            continue
        since = [event] if isinstance(event, PasswordProven) else [*since, event]
        assert judged == verdict(flow)
        assert flow.user_id == event.user_id
        if isinstance(judged, Accepted):
            check_accepted(judged, since)


def check_accepted(accepted: Accepted, since: list[Event]) -> None:
    """No login without every needed factor, all of one person."""
    first = since[0]
    assert isinstance(first, PasswordProven)
    assert {event.user_id for event in since} == {accepted.user_id}
    kinds = [type(event) for event in since]
    second = [event for event in since if isinstance(event, SecondFactorProven)]
    assert Factor.PASSWORD in accepted.factors
    assert accepted.factors & {Factor.TOTP, Factor.RECOVERY_CODE}
    if first.degraded:
        assert kinds == [PasswordProven, SecondFactorProven]
        assert accepted.factors == {Factor.PASSWORD, Factor.TOTP}
    assert accepted.degraded is first.degraded
    assert accepted.temporary is any(e.temporary or e.factor is Factor.ACTIVATION_CODE for e in second)
    if any(event.factor is Factor.ACTIVATION_CODE for event in second):
        assert Enrolled in kinds
    if first.enrolled:
        assert len(second) == 1
        assert second[0].factor is not Factor.PASSWORD
    else:
        assert Enrolled in kinds
    if first.must_change:
        assert PasswordChanged in kinds
        if first.enrolled:
            assert kinds.index(SecondFactorProven) < kinds.index(PasswordChanged)
    if any(event.must_enrol for event in second):
        assert Enrolled in kinds
    if Enrolled in kinds:
        assert kinds[-1] is (Enrolled if accepted.temporary else CodesSeen)


def test_every_sequence_of_one_person_and_a_stranger() -> None:
    alphabet = [*events_of(ALICE), SecondFactorProven(BOB, Factor.TOTP)]
    for depth in range(1, 5):
        for events in product(alphabet, repeat=depth):
            follow(list(events))


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_any_sequence_of_two_people(events: list[Event]) -> None:
    follow(events)


@given(st.lists(st.sampled_from(EVENTS), max_size=10), st.sampled_from(events_of(BOB)[:6]))
def test_a_password_starts_from_nothing(before: list[Event], password: PasswordProven) -> None:
    """Whatever happened before, after a password the flow is that of a fresh login."""
    flow = START
    for event in before:
        flow, _ = advance(flow, event)
    assert advance(flow, password) == advance(START, password)


@given(
    st.builds(
        Flow,
        user_id=st.sampled_from([None, ALICE]),
        factors=st.frozensets(st.sampled_from(list(Factor))),
        enrolled=st.booleans(),
        must_change_password=st.booleans(),
        must_enrol=st.booleans(),
        codes_to_show=st.booleans(),
    )
)
def test_the_verdict_is_total_and_never_lenient(flow: Flow) -> None:
    judged = verdict(flow)
    if isinstance(judged, Accepted):
        assert flow.user_id == ALICE
        assert Factor.PASSWORD in flow.factors
        assert flow.enrolled
        assert flow.factors & {Factor.TOTP, Factor.RECOVERY_CODE, Factor.ACTIVATION_CODE}
        assert not any((flow.must_change_password, flow.must_enrol, flow.codes_to_show))
    else:
        assert isinstance(judged, Need)


def test_the_ordinary_ways_in() -> None:
    ways: list[tuple[list[Event], list[Need | type]]] = [
        (
            [PasswordProven(ALICE, enrolled=True), SecondFactorProven(ALICE, Factor.TOTP)],
            [Need.SECOND_FACTOR, Accepted],
        ),
        (
            [PasswordProven(ALICE, enrolled=False), Enrolled(ALICE), CodesSeen(ALICE)],
            [Need.ENROLMENT, Need.CODES_SEEN, Accepted],
        ),
        (
            [
                PasswordProven(ALICE, enrolled=True, must_change=True),
                SecondFactorProven(ALICE, Factor.RECOVERY_CODE, must_enrol=True),
                PasswordChanged(ALICE),
                Enrolled(ALICE),
                CodesSeen(ALICE),
            ],
            [Need.SECOND_FACTOR, Need.NEW_PASSWORD, Need.ENROLMENT, Need.CODES_SEEN, Accepted],
        ),
        (
            [PasswordProven(ALICE, enrolled=True, degraded=True), SecondFactorProven(ALICE, Factor.TOTP)],
            [Need.SECOND_FACTOR, Accepted],
        ),
        (
            [
                PasswordProven(ALICE, enrolled=True),
                SecondFactorProven(ALICE, Factor.ACTIVATION_CODE),
                Enrolled(ALICE),
            ],
            [Need.SECOND_FACTOR, Need.ENROLMENT, Accepted],
        ),
    ]
    for events, expected in ways:
        flow = START
        for event, wanted in zip(events, expected, strict=True):
            flow, judged = advance(flow, event)
            assert judged is wanted or type(judged) is wanted
