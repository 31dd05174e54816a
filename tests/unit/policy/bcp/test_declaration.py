"""Every step of a declaration: who, when, how long; and that a refused step says why in both languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.ids import UserId
from policy.bcp import declaration as steps
from policy.bcp.canonical import decode, digest, encode, extension_digest
from policy.bcp.model import (
    BREAK_GLASS,
    MAX_DURATION,
    MOST_PROPOSALS,
    WHOLE_TENANT,
    Declaration,
    DeclarationState,
    Level,
    Refused,
    Role,
    Scope,
    ScopeKind,
    Signature,
)
from policy.bcp.model import RefusalCode as Code
from policy.bcp.refusals import _TEXTS
from policy.bcp.rules import fault
from policy.bcp.states import TRANSITIONS, Step
from tests.support.bcp import CITY, EAST, OFFICIALS, approver, plan_ref, proposal, signer

NOW = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def drafted(now: datetime = NOW, **over: Any) -> Declaration:
    return steps.draft(
        proposal(**over), UserId("usr_chief"), declaration_id="bcp_1", tenant_id=CITY, plan=plan_ref(), now=now
    )


def proposed(by: str = "chief", **over: Any) -> Declaration:
    return steps.propose(drafted(**over), signer(by, NOW, absent=True), OFFICIALS, NOW, others=())


def active(**over: Any) -> Declaration:
    made = proposed(**over)
    return steps.approve(made, approver("deputy", made, NOW), OFFICIALS, NOW)


def refusal(call: Any, *args: Any, **kwargs: Any) -> Code:
    with pytest.raises(Refused) as error:
        call(*args, **kwargs)
    told = error.value.refusal
    assert told.text_ja
    assert told.text_en
    assert "{" not in told.text_ja + told.text_en
    return told.code


def test_every_refusal_has_both_languages() -> None:
    assert set(_TEXTS) == set(Code)


def test_two_persons_make_it_active() -> None:
    made = active()
    assert made.state is DeclarationState.ACTIVE
    assert (made.starts_at, made.ends_at) == (NOW, NOW + timedelta(hours=72))
    assert [s.role for s in made.signatures] == [Role.PROPOSED, Role.APPROVED]
    assert [s.listed_rank for s in made.signatures] == [None, 2]
    assert [s.acting for s in made.signatures] == [False, True]
    assert fault(made) is None


def test_the_same_person_never_signs_twice() -> None:
    made = proposed("deputy")
    assert refusal(steps.approve, made, approver("deputy", made, NOW), OFFICIALS, NOW) is Code.SAME_PERSON
    other_id = approver("DEPUTY", made, NOW, user_id=UserId("usr_else"))
    assert refusal(steps.approve, made, other_id, OFFICIALS, NOW) is Code.SAME_PERSON
    glass = steps.propose(drafted(break_glass=True), signer("risk", NOW, absent=True), OFFICIALS, NOW, others=())
    assert refusal(steps.ratify, glass, approver("risk", glass, NOW), OFFICIALS, NOW) is Code.SAME_PERSON


def test_one_of_the_two_is_on_the_list() -> None:
    made = proposed("chief")
    assert refusal(steps.approve, made, approver("clerk", made, NOW), OFFICIALS, NOW) is Code.NOBODY_LISTED
    assert refusal(steps.approve, made, approver("branch", made, NOW), OFFICIALS, NOW) is Code.NOBODY_LISTED
    own = proposed("chief", scope=EAST)
    assert steps.approve(own, approver("branch", own, NOW), OFFICIALS, NOW).signatures[-1].listed_rank == 4


def test_an_official_out_of_office_is_not_on_the_list() -> None:
    left = [replace(official, until=NOW) for official in OFFICIALS]
    made = proposed("chief")
    assert refusal(steps.approve, made, approver("deputy", made, NOW), left, NOW) is Code.NOBODY_LISTED


def test_a_higher_rank_is_not_passed_over_without_a_word() -> None:
    made = proposed("chief")
    silent = approver("risk", made, NOW, absent=False)
    assert refusal(steps.approve, made, silent, OFFICIALS, NOW) is Code.HIGHER_RANK
    assert (
        steps.approve(made, approver("mayor", made, NOW, absent=False), OFFICIALS, NOW).signatures[-1].listed_rank == 1
    )


@pytest.mark.parametrize("age", [None, timedelta(minutes=5, seconds=1), -timedelta(seconds=1)])
def test_the_one_time_code_is_fresh(age: timedelta | None) -> None:
    stale = None if age is None else NOW - age
    assert (
        refusal(steps.propose, drafted(), signer("chief", NOW, totp_at=stale), OFFICIALS, NOW, others=())
        is Code.TOTP_NOT_FRESH
    )
    made = proposed()
    late = approver("deputy", made, NOW, totp_at=stale)
    assert refusal(steps.approve, made, late, OFFICIALS, NOW) is Code.TOTP_NOT_FRESH


def test_approval_lapses_after_half_an_hour_also_when_the_clock_steps_back() -> None:
    made = proposed()
    late = NOW + 30 * MINUTE
    assert refusal(steps.approve, made, approver("deputy", made, late), OFFICIALS, late) is Code.LAPSED
    assert steps.timed_out(made, late - MINUTE) is None
    lapsed = steps.timed_out(made, late)
    assert lapsed is not None
    assert lapsed.state is DeclarationState.LAPSED
    seen = replace(made, seen_at=late)
    assert refusal(steps.approve, seen, approver("deputy", made, NOW), OFFICIALS, NOW) is Code.LAPSED


def test_what_was_shown_is_what_is_signed() -> None:
    made = proposed()
    other = replace(made, scope=EAST)
    assert digest(other) != digest(made)
    assert refusal(steps.approve, made, approver("deputy", other, NOW), OFFICIALS, NOW) is Code.CONTENT_CHANGED
    unseen = approver("deputy", made, NOW, seen_digest=None)
    assert refusal(steps.approve, made, unseen, OFFICIALS, NOW) is Code.CONTENT_CHANGED


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"ends_at": NOW}, Code.ENDS_IN_PAST),
        ({"ends_at": NOW + MAX_DURATION + MINUTE}, Code.TOO_LONG),
        ({"ends_at": NOW + 8 * DAY, "level": Level.ALERT}, Code.TOO_LONG),
        ({"ends_at": NOW + 9 * HOUR, "drill": True}, Code.TOO_LONG),
        ({"level": Level.RECOVERY}, Code.LEVEL_NOT_DECLARABLE),
        ({"level": Level.ALERT, "drill": True}, Code.LEVEL_NOT_DECLARABLE),
        ({"level": Level.SECOND, "break_glass": True}, Code.BREAK_GLASS_LEVEL),
        ({"drill": True, "break_glass": True}, Code.BREAK_GLASS_LEVEL),
        ({"scope": Scope(ScopeKind.SITE, frozenset({"a", "b"})), "break_glass": True}, Code.BREAK_GLASS_SCOPE),
        ({"scope": Scope(ScopeKind.SITE)}, Code.SCOPE_EMPTY),
        ({"scope": Scope(ScopeKind.TENANT, frozenset({"x"}))}, Code.SCOPE_EMPTY),
        ({"reason": " "}, Code.REASON_MISSING),
    ],
)
def test_what_cannot_be_declared(over: dict[str, Any], code: Code) -> None:
    assert refusal(drafted, **over) is code


def test_one_person_suffices_for_alert_and_drill_which_widen_nothing_real() -> None:
    alert = proposed(level=Level.ALERT)
    drill = proposed(drill=True)
    assert alert.state is drill.state is DeclarationState.ACTIVE
    assert drill.ends_at == NOW + 8 * HOUR
    assert drill.overlay_plan == "quake@1#drill"
    assert fault(alert) is None
    assert fault(drill) is None


def test_break_glass_dies_after_four_hours_unless_ratified() -> None:
    glass = steps.propose(drafted(break_glass=True), signer("risk", NOW, absent=True), OFFICIALS, NOW, others=())
    assert glass.ends_at == NOW + BREAK_GLASS
    assert fault(glass) is None
    assert refusal(steps.propose_extension, glass, NOW + DAY, signer("risk", NOW), OFFICIALS, NOW) is Code.RATIFY_FIRST
    kept = steps.ratify(glass, approver("clerk", glass, NOW), OFFICIALS, NOW)
    assert kept.ends_at == NOW + timedelta(hours=72)
    assert fault(kept) is None
    over = NOW + BREAK_GLASS
    assert refusal(steps.ratify, glass, approver("clerk", glass, over), OFFICIALS, over) is Code.OVER
    assert refusal(steps.ratify, active(), approver("clerk", active(), NOW), OFFICIALS, NOW) is Code.NOT_BREAK_GLASS


def test_break_glass_needs_the_list_and_cannot_be_chained() -> None:
    made = drafted(break_glass=True)
    assert refusal(steps.propose, made, signer("clerk", NOW), OFFICIALS, NOW, others=()) is Code.NOBODY_LISTED
    glass = steps.propose(made, signer("risk", NOW, absent=True), OFFICIALS, NOW, others=())
    dead = steps.timed_out(glass, NOW + BREAK_GLASS)
    assert dead is not None
    for later, allowed in ((5 * HOUR, False), (71 * HOUR, False), (72 * HOUR, True)):
        now = NOW + later
        elsewhere = drafted(now, break_glass=True, scope=EAST)
        for name in ("risk", "deputy"):
            again = (elsewhere, signer(name, now, absent=True), OFFICIALS, now)
            if allowed:
                assert steps.propose(*again, others=(dead,)).state is DeclarationState.ACTIVE
            else:
                assert refusal(steps.propose, *again, others=(dead,)) is Code.BREAK_GLASS_AGAIN


def test_one_person_cannot_flood_the_others_with_proposals() -> None:
    mine = tuple(steps.reject(proposed(), NOW) for _ in range(MOST_PROPOSALS))
    by = mine[0].signatures[0].username
    again = (drafted(), signer(by, NOW, absent=True), OFFICIALS, NOW)
    assert refusal(steps.propose, *again, others=mine) is Code.TOO_MANY_PROPOSALS
    assert steps.propose(*again, others=mine[1:]).state is DeclarationState.AWAITING_APPROVAL
    another = (drafted(), signer("deputy", NOW, absent=True), OFFICIALS, NOW)
    assert steps.propose(*another, others=mine).state is DeclarationState.AWAITING_APPROVAL
    later = NOW + HOUR
    after = (drafted(later), signer(by, later, absent=True), OFFICIALS, later)
    assert steps.propose(*after, others=mine).state is DeclarationState.AWAITING_APPROVAL


def test_extension_takes_two_persons_again_from_a_day_before() -> None:
    made = active()
    longer = made.ends_at + DAY
    assert (
        refusal(steps.propose_extension, made, longer, signer("chief", NOW), OFFICIALS, NOW) is Code.TOO_EARLY_TO_EXTEND
    )
    now = made.ends_at - DAY
    args = (signer("chief", now), OFFICIALS, now)
    assert refusal(steps.propose_extension, made, made.ends_at, *args) is Code.NOT_LONGER
    assert refusal(steps.propose_extension, made, now + MAX_DURATION + MINUTE, *args) is Code.TOO_LONG
    asked = steps.propose_extension(made, longer, *args)
    assert asked.ends_at == made.ends_at
    seen = extension_digest(made, longer)
    own = signer("chief", now, seen_digest=seen)
    assert refusal(steps.approve_extension, asked, own, OFFICIALS, now) is Code.SAME_PERSON
    unlisted = signer("clerk", now, seen_digest=seen)
    assert refusal(steps.approve_extension, asked, unlisted, OFFICIALS, now) is Code.NOBODY_LISTED
    wrong = signer("deputy", now, seen_digest=digest(made), absent=True)
    assert refusal(steps.approve_extension, asked, wrong, OFFICIALS, now) is Code.CONTENT_CHANGED
    late = now + 30 * MINUTE
    slow = signer("deputy", late, seen_digest=seen, absent=True)
    assert refusal(steps.approve_extension, asked, slow, OFFICIALS, late) is Code.LAPSED
    dropped = steps.timed_out(asked, late)
    assert dropped is not None
    assert dropped.pending is None
    for unseen in (signer("deputy", now), wrong):
        assert refusal(steps.reject_extension, asked, unseen, now) is Code.CONTENT_CHANGED
    assert refusal(steps.reject_extension, made, own, now) is Code.LAPSED
    for who in ("deputy", "chief"):
        rejected = steps.reject_extension(asked, signer(who, now, seen_digest=seen), now)
        assert (rejected.pending, rejected.ends_at, rejected.signatures) == (None, made.ends_at, made.signatures)
    done = steps.approve_extension(asked, signer("deputy", now, seen_digest=seen, absent=True), OFFICIALS, now)
    assert done.ends_at == longer
    assert fault(done) is None
    for other in (proposed(level=Level.ALERT), proposed(drill=True)):
        end = other.ends_at - MINUTE
        assert (
            refusal(steps.propose_extension, other, end + DAY, signer("chief", end), OFFICIALS, end) is Code.NEEDS_NEW
        )


def test_narrowing_takes_one_person_without_a_fresh_code() -> None:
    made = active(level=Level.SECOND)
    who = signer("clerk", NOW, totp_at=None)
    lower = steps.narrow(made, who, OFFICIALS, NOW, level=Level.FIRST)
    smaller = steps.narrow(lower, who, OFFICIALS, NOW, scope=EAST, block=frozenset({UserId("usr_x")}))
    sooner = steps.narrow(smaller, who, OFFICIALS, NOW, ends_at=NOW + HOUR)
    assert (sooner.level, sooner.scope, sooner.ends_at) == (Level.FIRST, EAST, NOW + HOUR)
    assert sooner.blocked == {UserId("usr_x")}
    assert fault(sooner) is None
    alert = steps.narrow(active(ends_at=NOW + 14 * DAY), who, OFFICIALS, NOW, level=Level.ALERT)
    assert alert.ends_at == NOW + 7 * DAY
    assert fault(alert) is None


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"level": Level.SECOND},
        {"level": Level.RECOVERY},
        {"scope": WHOLE_TENANT},
        {"scope": Scope(ScopeKind.SITE, frozenset({"east", "west"}))},
        {"scope": Scope(ScopeKind.DUTY, frozenset({"water"}))},
        {"ends_at": NOW + 73 * HOUR},
    ],
)
def test_narrowing_never_widens(over: dict[str, Any]) -> None:
    made = active(scope=EAST)
    assert refusal(steps.narrow, made, signer("mayor", NOW), OFFICIALS, NOW, **over) is Code.NOT_NARROWER


def test_recovery_widens_nothing_and_ends_by_itself() -> None:
    made = steps.recover(active(), signer("clerk", NOW, totp_at=None), OFFICIALS, NOW)
    assert made.level is Level.RECOVERY
    assert made.level.widens is None
    assert made.ends_at == NOW + MAX_DURATION
    assert fault(made) is None
    assert refusal(steps.narrow, made, signer("mayor", NOW), OFFICIALS, NOW, level=Level.FIRST) is Code.NOT_NARROWER
    assert refusal(steps.recover, made, signer("mayor", NOW), OFFICIALS, NOW) is Code.NOT_NARROWER
    assert refusal(steps.recover, active(), signer("x", NOW), OFFICIALS, NOW, ends_at=NOW) is Code.ENDS_IN_PAST


def test_lifting_takes_one_person_at_once() -> None:
    made = steps.lift(active(), signer("clerk", NOW, totp_at=None), OFFICIALS, NOW, note="終息")
    assert (made.state, made.ended_at, made.end_note) == (DeclarationState.LIFTED, NOW, "終息")
    assert refusal(steps.lift, made, signer("clerk", NOW), OFFICIALS, NOW) is Code.NOT_POSSIBLE_NOW


def test_a_real_declaration_ends_drills_and_what_it_supersedes() -> None:
    drill = replace(proposed(drill=True), id="bcp_drill")
    old = replace(active(), id="bcp_old")
    kept = replace(active(), id="bcp_kept")
    begun = active(supersedes="bcp_old")
    ended = steps.give_way(begun, (drill, old, kept, begun), NOW)
    assert {other.id for other in ended} == {"bcp_drill", "bcp_old"}
    assert all(other.state is DeclarationState.LIFTED for other in ended)
    assert steps.give_way(drill, (kept, replace(drill, id="bcp_2")), NOW) == ()
    assert (
        refusal(steps.propose, drafted(drill=True), signer("chief", NOW), OFFICIALS, NOW, others=(kept,))
        is Code.REAL_ONE_ACTIVE
    )


def test_what_is_not_in_the_table_does_not_happen() -> None:
    ended = [state for state in DeclarationState if not any(key[0] is state for key in TRANSITIONS)]
    assert set(ended) == {
        DeclarationState.LIFTED,
        DeclarationState.EXPIRED,
        DeclarationState.LAPSED,
        DeclarationState.REJECTED,
    }
    assert {step for _state, step in TRANSITIONS} == set(Step)
    rejected = steps.reject(proposed(), NOW, note="誤報")
    assert refusal(steps.approve, rejected, approver("deputy", rejected, NOW), OFFICIALS, NOW) is Code.NOT_POSSIBLE_NOW
    assert steps.timed_out(rejected, NOW + MAX_DURATION) is None
    assert steps.reject(drafted(), NOW).state is DeclarationState.REJECTED


def test_a_draft_signed_too_late_is_refused_and_then_lapses() -> None:
    made = drafted(ends_at=NOW + HOUR)
    late = NOW + HOUR
    assert refusal(steps.propose, made, signer("chief", late), OFFICIALS, late, others=()) is Code.ENDS_IN_PAST
    lapsed = steps.timed_out(made, late)
    assert lapsed is not None
    assert lapsed.state is DeclarationState.LAPSED


def test_expiry_counts_from_the_signed_end_and_a_stepped_clock_does_not_help() -> None:
    made = active()
    expired = steps.timed_out(made, made.ends_at + DAY)
    assert expired is not None
    assert (expired.state, expired.ended_at) == (DeclarationState.EXPIRED, made.ends_at)
    seen = replace(made, seen_at=made.ends_at)
    assert steps.timed_out(seen, NOW) is not None
    assert refusal(steps.narrow, seen, signer("x", NOW), OFFICIALS, NOW, level=Level.ALERT) is Code.OVER


def forged(signatures: tuple[Signature, ...], **over: Any) -> Declaration:
    return replace(active(), signatures=signatures, **over)


def test_a_forged_declaration_by_one_person_is_not_believed() -> None:
    first, second = active().signatures
    assert fault(forged(())) == "nobody signed"
    assert fault(forged((first,))) == "nobody listed"
    assert fault(forged((second,))) == "one person"
    assert fault(forged((second, replace(second, role=Role.PROPOSED)))) == "one person"
    assert fault(forged((first, replace(second, listed_rank=None)))) == "nobody listed"
    assert fault(forged((first, second), ends_at=NOW + 15 * DAY)) == "too long"
    alone: dict[str, Any] = {"break_glass": True, "signatures": (replace(second, role=Role.DECLARED),)}
    assert fault(replace(active(), **alone)) == "one person for too much"
    assert fault(replace(active(), **alone, ends_at=NOW + BREAK_GLASS)) is None
    assert fault(replace(active(), **alone, ends_at=NOW + HOUR, level=Level.SECOND)) == "one person for too much"
    assert fault(replace(active(), state=DeclarationState.LIFTED)) == "not active"
    assert fault(replace(proposed(drill=True), ends_at=NOW + 9 * HOUR)) == "too long"


def test_stored_and_read_again_it_is_the_same() -> None:
    made = active(scope=Scope(ScopeKind.DUTY, frozenset({"水道", "避難所", "b", "a"})))
    made = replace(made, blocked=frozenset({UserId("usr_2"), UserId("usr_1")}))
    assert decode(encode(made)) == made
    assert encode(decode(encode(made))) == encode(made)
    wrong: list[Any] = [{}, None, [], {**encode(made), "state": "won"}, {**encode(made), "version": "x"}]
    for broken in wrong:
        with pytest.raises(ValueError, match="not a declaration"):
            decode(broken)
