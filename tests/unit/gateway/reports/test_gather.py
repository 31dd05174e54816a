"""The report's numbers are counts of the events, and nothing of another declaration or tenant gets in."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.duties.models import Priority
from common.audit import AuditEvent, ChainedEvent
from gateway.reports.gather import final, gather
from gateway.reports.model import Report, decode, encode, sha256
from gateway.reports.rights import rights
from gateway.reports.sessions import normal_allowed
from policy.bcp.audit_names import BcpAudit
from policy.bcp.model import DeclarationState, Level
from tests.support.bcp_events import Emergency, Writer, emergency, usernames
from tests.support.bcp_notices import PLAN, START, declaration, lifted

EMERGENCY: Emergency = emergency(60)
REPORT: Report = gather(EMERGENCY.material, EMERGENCY.events)


def test_the_timeline_has_every_step_with_its_person_also_the_refused_one() -> None:
    assert [(step.name, step.person, step.outcome) for step in REPORT.steps] == [
        ("propose-declaration", "鈴木 一郎", "ok"),
        ("approve-declaration", "鈴木 一郎", "denied"),
        ("approve-declaration", "佐藤 花子", "ok"),
        ("remind-declaration", "（自動）", "ok"),
        ("lift-declaration", "佐藤 花子", "ok"),
    ]
    approved = REPORT.steps[2]
    assert (approved.title, approved.acting) == ("危機管理監", True)


def test_sessions_are_counted_whole_and_as_far_as_they_rested_on_the_declaration() -> None:
    assert (REPORT.overall.people, REPORT.overall.sessions) == (60, 60)
    assert (REPORT.overall.people_widened, REPORT.overall.sessions_widened) == (20, 20)
    assert sum(use.sessions for use in REPORT.by_class) == 60
    assert [use.sessions for use in REPORT.by_pool] == [60]
    assert REPORT.peak == 60
    assert sum(wait.waited for wait in REPORT.waits) == 12
    assert sum(one.count for one in REPORT.endings) == 60


def test_refusals_guardrails_and_degraded_logins_are_counted() -> None:
    assert [(one.code, one.count, one.guardrail) for one in REPORT.refusals] == [
        ("pool_full", 2, False),
        ("zone_unreachable", 4, True),
    ]
    broken = {one.key: one.count for one in REPORT.broken}
    assert broken == {"lose-directory": 1, "degraded-login": 9, "enrol-temporary-totp": 1}
    assert {one.code for one in REPORT.follow_ups} == {
        "temporary_factors", "no_answer", "refused_steps", "guardrail_hits",
    }  # fmt: skip


def test_the_score_says_how_fast_it_was() -> None:
    urgent = set(usernames(EMERGENCY.book, Priority.P1))
    assert REPORT.score.seconds_to_declare == 300
    assert REPORT.score.p1_roster == len(urgent)
    assert 0 < REPORT.score.p1_within_hour <= 31


def test_every_entry_says_whether_normal_policy_would_have_allowed_it() -> None:
    asked = [entry for entry in REPORT.entries if entry.name == "request-session"]
    assert sum(entry.normal_allowed is False for entry in asked) == 20
    assert sum(entry.normal_allowed is True for entry in asked) == 40
    assert all(bool(entry.declarations) is (entry.normal_allowed is False) for entry in asked)
    assert {entry.normal_allowed for entry in REPORT.entries if entry.name == "lift-declaration"} == {None}
    ended = [entry for entry in REPORT.entries if entry.name == "end-session"]
    assert sum(entry.normal_allowed is False for entry in ended) == 20
    assert {entry.normal_allowed for entry in ended} == {True, False}
    assert normal_allowed({"rules": "N-01,BCP-quake-3-L1-W1"}) is False
    assert normal_allowed({"rules": "N-01"}) is True
    assert normal_allowed({"normal_allowed": True, "rules": "BCP-x"}) is True


def test_the_usual_rules_before_and_after_are_compared() -> None:
    assert (REPORT.policy_before, REPORT.policy_after) == ("aaaa", "aaaa")
    other = [
        replace(chained, event=replace(chained.event, details={**chained.event.details, "policy_version": "bbbb"}))
        if chained.event.name == BcpAudit.LIFT_DECLARATION
        else chained
        for chained in EMERGENCY.events
    ]
    changed = gather(EMERGENCY.material, other)
    assert changed.policy_after == "bbbb"
    assert "policy_changed" in {one.code for one in changed.follow_ups}


def test_the_chain_it_rests_on_is_named() -> None:
    (chain,) = REPORT.chains
    last = max(EMERGENCY.events, key=lambda chained: chained.seq)
    assert (chain.events, chain.first_seq, chain.last_seq) == (len(EMERGENCY.events), 1, last.seq)
    assert chain.last_hash == last.hash


def test_the_strongest_level_counts_although_it_was_narrowed_since() -> None:
    writer = Writer()
    over = replace(lifted(START + timedelta(hours=5)), level=Level.RECOVERY)
    writer.write(START, BcpAudit.APPROVE_DECLARATION, subject=over.id, level="second")
    writer.write(START, BcpAudit.RECOVER_DECLARATION, subject=over.id, level="recovery")
    report = gather(replace(EMERGENCY.material, declaration=over), writer.events)
    assert report.level is Level.SECOND
    assert [right.item for right in report.rights] == [line.name.ja for line in (*PLAN.first, *PLAN.second)]


def test_a_report_before_the_end_or_within_the_grace_is_not_final() -> None:
    over = lifted(START)
    assert not final(declaration(), PLAN, START)
    assert not final(over, PLAN, START + timedelta(minutes=29))
    assert final(over, PLAN, START + timedelta(minutes=30))
    assert final(replace(over, state=DeclarationState.EXPIRED), PLAN, START + timedelta(hours=1))


def test_nothing_happened_is_a_report_too() -> None:
    report = gather(replace(EMERGENCY.material, declaration=declaration()), ())
    assert (report.peak, report.peak_at, report.steps, report.entries, report.chains) == (0, None, (), (), ())
    assert not report.final


def test_it_is_frozen_byte_for_byte() -> None:
    content = encode(REPORT)
    assert encode(decode(content)) == content
    assert decode(content) == REPORT
    assert sha256(content) == sha256(encode(gather(EMERGENCY.material, EMERGENCY.events)))


@given(st.permutations(range(12)))
def test_the_order_within_one_moment_changes_no_count(order: list[int]) -> None:
    at = START + timedelta(hours=1)
    writer = Writer()
    for number in range(12):
        writer.write(at, "degraded-login", actor=f"usr_{number % 4}")
    report = gather(EMERGENCY.material, [writer.events[i] for i in order])
    assert [(one.count, one.people) for one in report.broken] == [(12, 4)]
    assert report.chains[0].last_seq == 12
    assert report.chains[0].last_hash == writer.events[-1].hash


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of the strategy
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["request-session", "attach-viewer", "lose-viewer", "end-session", "deny-session", "x"]),
            st.sampled_from(["ses_1", "ses_2", "ses_3", None]),
            st.dictionaries(
                st.sampled_from(["pool_id", "declarations", "worked_seconds", "reason", "normal_allowed", "rules"]),
                st.one_of(st.none(), st.booleans(), st.integers(0, 10**6), st.text(max_size=10)),
            ),
        ),
        max_size=30,
    )
)
def test_events_of_any_shape_are_survived_and_the_peak_is_never_above_the_sessions(
    told: list[tuple[str, str | None, dict[str, str | int | bool | None]]],
) -> None:
    events = [
        ChainedEvent(
            "node-1", seq, START + timedelta(seconds=seq), AuditEvent(name, declaration().tenant_id, "usr_1", "sato",
            session, None, "ok", details), "", "h",
        )
        for seq, (name, session, details) in enumerate(told, 1)
    ]  # fmt: skip
    report = gather(EMERGENCY.material, events)
    assert report.peak <= report.overall.sessions <= 3
    assert decode(encode(report)) == report


def test_rights_say_on_how_many_days_of_a_week() -> None:
    level = EMERGENCY.material.declaration.level
    free, capped = (PLAN.first[0].model_copy(update={"days_a_week": days}) for days in (None, 3))
    lines = [rights(PLAN.model_copy(update={"first": (one,)}), level, {}, drill=False)[0] for one in (free, capped)]
    assert ["日数：週の日数の上限なし" in one.during.splitlines() for one in lines] == [True, False]
    assert ["日数：週3日まで" in one.during.splitlines() for one in lines] == [False, True]
