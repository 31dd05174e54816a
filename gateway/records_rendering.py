"""Reach, call lists, reports and drills as the API shows them. Pure."""

from collections.abc import Iterable
from typing import Final

from broker.duties.book import DutyBook
from broker.duties.models import Duty, Register
from gateway.bcp_rendering import scope
from gateway.notices.followed import CallList, Follow, Tally
from gateway.reports.calendar import DrillYear
from gateway.reports.model import Report, Score
from gateway.reports.service import BY_ITSELF
from gateway.reports.store import ReportHead
from gateway.schemas_bcp import NamedAnswer
from gateway.schemas_records import (
    ClassTallyAnswer,
    DrillYearAnswer,
    DutyPeopleAnswer,
    DutyScoreAnswer,
    DutyTallyAnswer,
    FollowedPersonAnswer,
    FollowUpAnswer,
    HalfYearAnswer,
    HeldDrillAnswer,
    PeopleAnswer,
    ReportAnswer,
    ReportDetailAnswer,
    ReportedAnswer,
    ScoreAnswer,
    TallyAnswer,
)
from policy.bcp.model import Declaration
from policy.bcp.plan import Plan

_NO_UNIT: Final = ("", "")


def tally(found: Tally) -> TallyAnswer:
    """Counts of a group."""
    answered = found.can + found.partly + found.cannot
    return TallyAnswer(
        people=found.people,
        reached=found.reached,
        not_reached=found.not_reached,
        read=found.read,
        silent=found.silent,
        working=found.working,
        can=found.can,
        partly=found.partly,
        cannot=found.cannot,
        no_answer=found.people - answered,
    )


def classes(found: Iterable[tuple[str | None, Tally]]) -> list[ClassTallyAnswer]:
    """Counts by class."""
    return [ClassTallyAnswer(priority=priority, tally=tally(counts)) for priority, counts in found]


def duties(found: Iterable[tuple[Duty, Tally]], register: Register) -> list[DutyTallyAnswer]:
    """Counts by duty."""
    return [
        DutyTallyAnswer(
            duty=_named(duty),
            priority=duty.priority,
            department_ja=_unit(duty.department, register)[0],
            department_en=_unit(duty.department, register)[1],
            tally=tally(counts),
        )
        for duty, counts in found
    ]


def duty_people(duty: Duty, people: Iterable[Follow], book: DutyBook) -> DutyPeopleAnswer:
    """All people of one duty."""
    return DutyPeopleAnswer(duty=_named(duty), priority=duty.priority, people=[_person(one, book) for one in people])


def call_list(found: CallList, book: DutyBook) -> PeopleAnswer:
    """Names to telephone."""
    return PeopleAnswer(items=[_person(one, book) for one in found.people], more=found.more)


def _named(duty: Duty) -> NamedAnswer:
    return NamedAnswer(id=duty.id, name_ja=duty.name_ja, name_en=duty.name_en)


def _unit(code: str, register: Register) -> tuple[str, str]:
    unit = register.departments.get(code)
    return (unit.name_ja, unit.name_en) if unit else _NO_UNIT


def _person(one: Follow, book: DutyBook) -> FollowedPersonAnswer:
    reached, answered = one.reached, one.reached.answer
    known = book.member(reached.username)
    department_ja, department_en = _unit(known.department, book.register) if known else _NO_UNIT
    return FollowedPersonAnswer(
        username=reached.username,
        name=reached.name or (known.name if known else reached.username),
        department_ja=department_ja,
        department_en=department_en,
        title=known.title if known else "",
        priority=one.priority,
        duty=_named(one.held[0].duty) if one.held else None,
        standing=one.standing,
        read_at=reached.read_at,
        ability=one.ability,
        note=answered.note if answered else "",
        answered_at=answered.at if answered else None,
    )


def report(found: ReportHead, about: ReportedAnswer | None) -> ReportAnswer:
    """What is known of a report without reading it. Its level is the strongest there was: most end in recovery."""
    if about is not None and found.level is not None:
        names = {"level": found.level, "level_ja": found.level.name_ja, "level_en": found.level.name_en}
        about = about.model_copy(update=names)
    return ReportAnswer(
        id=found.id,
        declaration_id=found.declaration_id,
        edition=found.edition,
        made_at=found.made_at,
        made_by=found.made_by,
        automatic=found.made_by == BY_ITSELF,
        sha256=found.sha256,
        about=about,
    )


def reported(found: Declaration, plan: Plan | None, register: Register) -> ReportedAnswer:
    """What a report is about. A plan that is no longer on the shelf at all stands with its id."""
    return ReportedAnswer(
        scope=scope(found.scope, register),
        level=found.level,
        level_ja=found.level.name_ja,
        level_en=found.level.name_en,
        plan_ja=plan.name.ja if plan else found.plan_id,
        plan_en=plan.name.en if plan else found.plan_id,
        drill=found.drill,
        break_glass=found.break_glass,
        state=found.state,
        starts_at=found.starts_at,
        ended_at=found.ended_at,
    )


def report_detail(head: ReportAnswer, found: Report) -> ReportDetailAnswer:
    """What a report covers and found."""
    return ReportDetailAnswer(
        head=head,
        final=found.final,
        window_from=found.window_from,
        window_to=found.window_to,
        events=len(found.entries),
        people=found.overall.people,
        sessions=found.overall.sessions,
        refused=sum(one.count for one in found.refusals),
        score=score(found.score),
        follow_ups=[FollowUpAnswer(code=one.code, count=one.count, text_ja=one.text) for one in found.follow_ups],
    )


def drill_year(found: DrillYear) -> DrillYearAnswer:
    """A fiscal year with its drills."""
    return DrillYearAnswer(
        name_ja=found.year.name_ja,
        name_en=found.year.name_en,
        halves=[
            HalfYearAnswer(
                name_ja=half.name_ja,
                name_en=half.name_en,
                first=half.first,
                last=half.last,
                state=half.state,
                drills=[HeldDrillAnswer(declaration_id=d.declaration_id, day=d.day) for d in half.drills],
            )
            for half in found.halves
        ],
    )


def score(found: Score) -> ScoreAnswer:
    """The figures of a drill or a declaration."""
    return ScoreAnswer(
        seconds_to_declare=found.seconds_to_declare,
        alone=found.alone,
        p1_roster=found.p1_roster,
        p1_within_hour=found.p1_within_hour,
        refused=found.refused,
        refused_people=found.refused_people,
        preempted=found.preempted,
        absent=found.absent,
        rehearsed=found.rehearsed,
        rehearsed_failed=found.rehearsed_failed,
        duties=[
            DutyScoreAnswer(
                id=one.key,
                name_ja=one.name,
                name_en=one.name_en,
                roster=one.roster,
                absent=one.absent,
                within_hour=one.within_hour,
                refused=one.refused,
                preempted=one.preempted,
            )
            for one in found.duties
        ],
    )
