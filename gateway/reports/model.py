"""An after-action report (実施報告書) as frozen values: everything that its printed forms show. Pure.

Counterparts: `gateway.reports.gather` makes one from the audit log, `gateway.reports.layout` and `.sheet` put it into
words and rows. Its bytes (`encode`) are what is stored and hashed: the same report has the same bytes for ever.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from policy.bcp.model import Cause, DeclarationState, Level

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One act on the declaration. `name` is the audit event's name; `role` and the rest stand with signatures."""

    at: datetime
    name: str
    person: str
    title: str
    department: str
    acting: bool
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class Right:
    """One widening of the plan: what held before and what the declaration allowed. Japanese."""

    item: str
    level: Level
    who: str
    before: str
    during: str


@dataclass(frozen=True, slots=True)
class Use:
    """People and sessions of one group (class, duty, pool, or all). `widened` ones rested on this declaration."""

    key: str
    name: str
    people: int
    people_widened: int
    sessions: int
    sessions_widened: int
    worked_seconds: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long people of a class waited for a desktop, in whole seconds."""

    key: str
    waited: int
    median_seconds: int
    longest_seconds: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Sessions that were refused for one reason at one target."""

    code: str
    pool_id: str
    count: int
    people: int
    guardrail: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something happened, and to how many people."""

    key: str
    count: int
    people: int


@dataclass(frozen=True, slots=True)
class Told:
    """One notice: to how many it was handed on and to how many not."""

    at: datetime
    kind: str
    people: int
    sent: int
    not_sent: int


@dataclass(frozen=True, slots=True)
class Reached:
    """Receipts and answers of the whole audience."""

    people: int
    told: int
    read: int
    not_reached: int
    can: int
    partly: int
    cannot: int
    no_answer: int


@dataclass(frozen=True, slots=True)
class DutyScore:
    """People of one duty's roster: how many play absent, were at work within the hour, were refused or preempted."""

    key: str
    name: str
    name_en: str
    roster: int
    absent: int
    within_hour: int
    refused: int
    preempted: int


@dataclass(frozen=True, slots=True)
class Score:
    """Of a drill (and of a real declaration, too): how well it went. None where nothing can be measured.

    `refused` and `preempted` are sessions; `rehearsed` are log-ins while a drill pretended that the directory was away,
    `rehearsed_failed` those that would not have gone through. The defaults are those of reports from before.
    """

    seconds_to_declare: int | None
    p1_roster: int
    p1_within_hour: int
    alone: bool = False
    """One person's signature was enough, so there was nothing to wait for."""
    refused: int = 0
    refused_people: int = 0
    preempted: int = 0
    absent: int = 0
    rehearsed: int = 0
    rehearsed_failed: int = 0
    duties: tuple[DutyScore, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something left to do. `code` is stable; `count` how many."""

    code: str
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Which part of a node's audit chain the report rests on, and the hash of its last event."""

    node_id: str
    first_seq: int
    last_seq: int
    events: int
    last_hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the list that goes with the report. `normal_allowed`: would the usual rules have allowed it? None
    where that is no question of rules."""

    at: datetime
    name: str
    person: str
    subject: str
    pool_id: str
    outcome: str
    reason: str
    normal_allowed: bool | None
    declarations: str
    rules: str
    source: str
    session_id: str
    node_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. Times are aware UTC."""

    tenant_id: str
    tenant_ja: str
    tenant_en: str
    declaration_id: str
    drill: bool
    break_glass: bool
    level: Level
    state: DeclarationState
    cause: Cause
    reason: str
    scope_ja: str
    scope_en: str
    plan_id: str
    plan_version: int
    plan_ja: str
    plan_en: str
    plan_digest: str
    starts_at: datetime | None
    ends_at: datetime
    ended_at: datetime | None
    end_note: str
    blocked: int
    made_at: datetime
    made_by: str
    window_from: datetime
    window_to: datetime
    final: bool
    """Whether the declaration had ended and its grace was over when the report was made."""
    steps: tuple[Step, ...]
    rights: tuple[Right, ...]
    forbidden_ja: str
    overall: Use
    by_class: tuple[Use, ...]
    by_duty: tuple[Use, ...]
    by_pool: tuple[Use, ...]
    peak: int
    peak_at: datetime | None
    waits: tuple[Waiting, ...]
    endings: tuple[Counted, ...]
    refusals: tuple[Refused, ...]
    broken: tuple[Counted, ...]
    """Degraded logins, vouches, temporary factors, emergency cards, losses of the directory."""
    notices: tuple[Told, ...]
    reach: Reached
    score: Score
    follow_ups: tuple[FollowUp, ...]
    chains: tuple[Chain, ...]
    entries: tuple[Entry, ...] = field(repr=False)
    pretended: tuple[str, ...] = ()
    """What a drill pretended, in words."""
    policy_before: str = ""
    policy_after: str = ""
    """Hashes of the normal rules when it began and when it ended; empty where no event tells."""
    format: int = FORMAT


_ADAPTER: Final = TypeAdapter(Report)


def encode(report: Report) -> bytes:
    """The report's bytes: JSON without freedom (sorted keys, no spaces, UTF-8)."""
    content = _ADAPTER.dump_python(report, mode="json")
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(content: bytes) -> Report:
    """The report of `encode`'s bytes. Raises ValueError for anything else."""
    try:
        found = _ADAPTER.validate_json(content)
    except ValidationError as error:
        raise ValueError(f"not a report: {error.error_count()} faults") from None
    if found.format != FORMAT:
        raise ValueError(f"a report of format {found.format}")
    return found


def sha256(content: bytes) -> str:
    """What stands on every page: 64 hex digits over the report's bytes."""
    return hashlib.sha256(content).hexdigest()


def plain(value: Any) -> str:
    """A detail of an audit event as text; empty for None."""
    return "" if value is None else str(value)
