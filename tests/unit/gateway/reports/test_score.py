"""The score counts the people of the scope, by duty, and what a drill pretended stands beside it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from broker.duties.book import DutyBook
from broker.duties.models import Priority
from common.audit import ChainedEvent
from gateway.demo import synthetic
from gateway.reports.model import DutyScore, Score
from gateway.reports.score import Scorer
from gateway.reports.sessions import Sessions
from policy.bcp.injects import Injects
from policy.bcp.model import Declaration, Scope, ScopeKind
from tests.support.bcp_events import POOL, Writer, emergency
from tests.support.bcp_notices import START, declaration

BOOK: Final = DutyBook(synthetic.generate(120).register)
DUTY: Final = next(
    d
    for d in sorted(BOOK.register.duties.values(), key=lambda d: d.id)
    if d.priority is Priority.P1 and len(d.people) > 2
)
FIRST, SECOND, THIRD = (member.username for member in BOOK.people_of([DUTY.id])[:3])


def scored(found: Declaration, events: list[ChainedEvent]) -> Score:
    sessions, scorer = Sessions(found.id), Scorer(found)
    for chained in events:
        sessions.feed(chained)
        scorer.feed(chained)
    return scorer.score(sessions, BOOK)


def of_duty(score: Score) -> DutyScore:
    return next(one for one in score.duties if one.key == DUTY.id)


def test_each_person_of_a_roster_counts_once_wherever_they_appear() -> None:
    writer = Writer()
    for minutes, who, session in ((5, FIRST, "s1"), (20, FIRST, "s2"), (61, SECOND, "s3")):
        at = START + timedelta(minutes=minutes)
        writer.write(at, "attach-viewer", subject=who, session=session, pool_id=POOL)
    for _ in range(3):
        writer.write(START, "deny-session", subject=THIRD, outcome="denied", code="not_assigned", pool_id=POOL)
    writer.write(START, "refuse-session", subject="stranger", outcome="denied", cause="pool_full", pool_id=POOL)
    late = START + timedelta(hours=2)
    writer.write(late, "preempt-session", subject=SECOND, session="s3", pool_id=POOL)
    writer.write(late, "end-session", subject=SECOND, session="s3", reason="preempted", pool_id=POOL)
    score = scored(declaration(), writer.events)
    found = of_duty(score)
    assert (found.roster, found.within_hour, found.refused, found.preempted) == (len(DUTY.people), 1, 1, 1)
    assert (score.p1_within_hour, score.refused, score.refused_people, score.preempted) == (1, 4, 2, 1)
    assert found.name == f"P1 {DUTY.name_ja}"


def test_only_the_scope_counts() -> None:
    scope = Scope(ScopeKind.DUTY, frozenset({DUTY.id}))
    score = scored(declaration(scope=scope), [])
    assert [one.key for one in score.duties] == [DUTY.id]
    assert score.p1_roster == of_duty(score).roster
    everywhere = scored(declaration(), [])
    assert score.p1_roster < everywhere.p1_roster


def test_a_drill_tells_what_it_pretended() -> None:
    injects = Injects(absent_percent=50, directory_off=True)
    found = declaration(drill=True, injects=injects)
    writer = Writer()
    for who, outcome in ((FIRST, "ok"), (SECOND, "denied")):
        writer.write(
            START, "rehearse-degraded-login", subject=who, outcome="ok" if outcome == "ok" else "denied",
            declaration_id=found.id,
        )  # fmt: skip
    writer.write(START, "rehearse-degraded-login", subject=THIRD, declaration_id="another drill")
    score = scored(found, writer.events)
    assert (score.rehearsed, score.rehearsed_failed) == (2, 1)
    people = {name for one in BOOK.register.duties for name in (m.username for m in BOOK.people_of([one]))}
    assert score.absent == sum(injects.absent(found.drill_name, name) for name in people) > 0
    assert of_duty(score).absent == sum(injects.absent(found.drill_name, m.username) for m in BOOK.people_of([DUTY.id]))


@pytest.mark.parametrize("drill", [False, True])
def test_nothing_has_happened_yet(drill: bool) -> None:
    score = scored(replace(declaration(drill=drill), starts_at=None, signatures=()), [])
    assert (score.seconds_to_declare, score.p1_within_hour, score.refused) == (None, 0, 0)


def test_the_frozen_report_has_the_same_figures() -> None:
    from gateway.reports.gather import gather

    found = emergency(60, drill=True)
    report = gather(found.material, found.events)
    sessions, scorer = Sessions(found.declaration.id), Scorer(found.declaration)
    for chained in found.events:
        sessions.feed(chained)
        scorer.feed(chained)
    assert report.score == scorer.score(sessions, found.book)
