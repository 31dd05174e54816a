"""Bodies of notices, reach, reports and drills. Pure. Counterparts: `gateway/handlers/records.py`, `followed.py`, the
console's pages for records, `kakehashi bcp report|reach|drills`.
"""

from datetime import date, datetime

from pydantic import Field

from gateway.notices.followed import Standing
from gateway.notices.model import Ability
from gateway.reports.calendar import DrillState
from gateway.schemas import Answer, Body
from gateway.schemas_bcp import NamedAnswer, ScopeAnswer
from policy.bcp.model import DeclarationState, Level


class EmployeeNoticeAnswer(Answer):
    """A notice for the caller, in words, with what they have said to it."""

    id: str
    declaration_id: str
    subject_ja: str
    subject_en: str
    lead_ja: str
    lead_en: str
    rows: list[list[str]]
    drill: bool
    at: datetime
    wants_answer: bool
    """Whether the person is asked if they can work; a notice of an end is only to be read."""
    read_at: datetime | None
    ability: Ability | None
    note: str


class EmployeeNoticesAnswer(Answer):
    """The notices of the last days that concern the caller."""

    items: list[EmployeeNoticeAnswer]


class AbilityBody(Body):
    """Can you work? 業務可・一部可・不可."""

    ability: Ability
    note: str = Field(default="", max_length=200)


class TallyAnswer(Answer):
    """Counts of a group. `people` is `reached` and `not_reached` together; `silent` were told and gave no sign."""

    people: int
    reached: int
    not_reached: int
    read: int
    silent: int
    working: int
    can: int
    partly: int
    cannot: int
    no_answer: int


class ClassTallyAnswer(Answer):
    """One class of duties; `priority` is null for people without a duty."""

    priority: str | None
    tally: TallyAnswer


class DutyTallyAnswer(Answer):
    """One duty with its people."""

    duty: NamedAnswer
    priority: str
    department_ja: str
    department_en: str
    tally: TallyAnswer


class ReachAnswer(Answer):
    """How far the people of a declaration have been reached, and who can work, by class and by duty."""

    now: datetime
    total: TallyAnswer
    classes: list[ClassTallyAnswer]
    duties: list[DutyTallyAnswer]


class FollowedPersonAnswer(Answer):
    """One person of a declaration, for whoever telephones. `duty` is the one of the highest class."""

    username: str
    name: str
    department_ja: str
    department_en: str
    title: str
    priority: str | None
    duty: NamedAnswer | None
    standing: Standing
    read_at: datetime | None
    ability: Ability | None
    note: str
    answered_at: datetime | None


class PeopleAnswer(Answer):
    """The most urgent of a list, and how many more there are."""

    items: list[FollowedPersonAnswer]
    more: int


class CallListsAnswer(Answer):
    """Whom to telephone: those whom nothing reached, those who gave no sign, those who cannot work as usual."""

    not_reached: PeopleAnswer
    silent: PeopleAnswer
    limited: PeopleAnswer


class DutyPeopleAnswer(Answer):
    """All people of one duty."""

    duty: NamedAnswer
    priority: str
    people: list[FollowedPersonAnswer]


class ReportedAnswer(Answer):
    """What a report is about."""

    scope: ScopeAnswer
    level: Level
    level_ja: str
    level_en: str
    plan_ja: str
    plan_en: str
    drill: bool
    break_glass: bool
    state: DeclarationState
    starts_at: datetime | None
    ended_at: datetime | None


class ReportAnswer(Answer):
    """An after-action report, frozen. `about` is null when the declaration is older than the list of them."""

    id: str
    declaration_id: str
    edition: int
    made_at: datetime
    made_by: str
    automatic: bool
    sha256: str
    about: ReportedAnswer | None


class ReportsAnswer(Answer):
    """Reports, newest first."""

    items: list[ReportAnswer]


class DutyScoreAnswer(NamedAnswer):
    """People of one duty's roster."""

    roster: int
    absent: int
    within_hour: int
    refused: int
    preempted: int


class ScoreAnswer(Answer):
    """How well a drill or a declaration went so far; `p1_*` are the people of duties of class P0 and P1."""

    seconds_to_declare: int | None
    alone: bool
    """One signature was enough: nothing to wait for."""
    p1_roster: int
    p1_within_hour: int
    refused: int
    refused_people: int
    preempted: int
    absent: int
    rehearsed: int
    rehearsed_failed: int
    duties: list[DutyScoreAnswer]


class FollowUpAnswer(Answer):
    """Something left to do, in Japanese as it is printed."""

    code: str
    count: int
    text_ja: str


class ReportDetailAnswer(Answer):
    """A report whose bytes have been compared with its hash just now: what it covers and what it found."""

    head: ReportAnswer
    final: bool
    """The declaration and its grace were over when it was frozen."""
    window_from: datetime
    window_to: datetime
    events: int
    people: int
    sessions: int
    refused: int
    score: ScoreAnswer
    follow_ups: list[FollowUpAnswer]


class HeldDrillAnswer(Answer):
    """A drill that was held."""

    declaration_id: str
    day: date


class HalfYearAnswer(Answer):
    """Half a fiscal year and its drills."""

    name_ja: str
    name_en: str
    first: date
    last: date
    state: DrillState
    drills: list[HeldDrillAnswer]


class DrillYearAnswer(Answer):
    """A fiscal year (年度)."""

    name_ja: str
    name_en: str
    halves: list[HalfYearAnswer]


class DrillsAnswer(Answer):
    """The drills of this fiscal year and of the one before. `overdue`: a half of this year has passed without one."""

    overdue: bool
    years: list[DrillYearAnswer]
