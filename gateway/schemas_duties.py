"""Bodies and answers about duties, sites and rosters. Pure. Counterpart: `gateway/handlers/duties.py`."""

import base64
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import Field, field_validator

from broker.duties.findings import Severity
from broker.duties.models import Kind, Part, Priority, ResumeWithin, Telework
from broker.duties.planning import Op
from broker.duties.reading import MOST_BYTES
from gateway.schemas import Answer, Body, ReasonAnswer
from policy.model import Zone


class DutyStatus(StrEnum):
    """Whether the caller can do a duty from here now."""

    NOW = "now"
    CONDITIONAL = "conditional"
    """A place is open; the duty's own condition must hold besides."""
    LATER = "later"
    """Nowhere now; `available_from` says when the clock alone opens a place."""
    CLOSED = "closed"
    """Nowhere now, and waiting does not help."""
    NO_PLACE = "no_place"
    """No pool is named for it."""
    NEVER = "never"
    """Not by telework at all."""


class DutyPlaceAnswer(Answer):
    """A pool in which a duty may be done, as it is for the caller now."""

    pool_id: str
    name_ja: str
    name_en: str
    allowed: bool
    reason: ReasonAnswer | None


class DutyAnswer(Answer):
    """One duty of the caller, and where it may be done now."""

    id: str
    name_ja: str
    name_en: str
    department_ja: str
    department_en: str
    zone: Zone
    zone_ja: str
    zone_en: str
    telework: Telework
    telework_ja: str
    telework_en: str
    condition: str
    priority: Priority
    resume_within: ResumeWithin
    resume_ja: str
    resume_en: str
    part: Part
    part_ja: str
    part_en: str
    status: DutyStatus
    status_ja: str
    status_en: str
    available_from: datetime | None
    places: list[DutyPlaceAnswer]


class DutiesAnswer(Answer):
    """The caller's duties, the most urgent class first."""

    items: list[DutyAnswer]


class FindingAnswer(Answer):
    """Something wrong (`fault`) or left over (`orphan`), and what to do about it."""

    code: str
    severity: Severity
    file: str | None
    line: int | None
    kind: Kind | None
    entry_id: str | None
    text_ja: str
    text_en: str
    remedy_ja: str
    remedy_en: str


class RegisterDutyAnswer(Answer):
    """A duty in the register."""

    id: str
    name_ja: str
    name_en: str
    department: str
    zone: Zone
    telework: Telework
    priority: Priority
    resume_within: ResumeWithin
    pools: list[str]
    desktops: list[str]
    people: list[str]
    substitutes: list[str]


class RegisterImportAnswer(Answer):
    """One import that was made."""

    version: int
    at: datetime
    actor: str
    digest: str


class RegisterAnswer(Answer):
    """The register at a glance: how much of what, all duties, what is left over, the newest imports."""

    version: int
    counts: dict[Kind, int]
    duties: list[RegisterDutyAnswer]
    findings: list[FindingAnswer]
    imports: list[RegisterImportAnswer]


class ImportFileBody(Body):
    """A file; its name ends in .csv or .yaml. The content is base64, because CP932 is no JSON text."""

    name: str = Field(min_length=1, max_length=200)
    content: bytes = Field(json_schema_extra={"format": "base64"})

    @field_validator("content", mode="before")
    @classmethod
    def _decoded(cls, given: object) -> bytes:
        """Strictly: pydantic's own base64 drops what is not of the alphabet."""
        if not isinstance(given, str):
            raise ValueError("not text")
        return base64.b64decode(given, validate=True)


class PreviewBody(Body):
    """Files to be looked at; each list that a file holds replaces the whole list."""

    largest: ClassVar[int] = MOST_BYTES * 4 // 3 + 64 * 1024
    """Files in base64, and what stands around them."""
    files: list[ImportFileBody] = Field(min_length=1, max_length=8)


class ApplyBody(PreviewBody):
    """The same files, and the digest that their preview gave."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class FieldChangeAnswer(Answer):
    """One field before and after, as people read it."""

    field: str
    title: str
    before: str | None
    after: str | None


class ChangeAnswer(Answer):
    """One entry that is added, changed or removed."""

    kind: Kind
    entry_id: str
    name: str
    op: Op
    fields: list[FieldChangeAnswer]


class PlanAnswer(Answer):
    """What an import comes to. With faults there is no digest, nothing is applied, and no change is listed."""

    applied: bool
    digest: str | None
    added: int
    changed: int
    removed: int
    changes: list[ChangeAnswer]
    faults: list[FindingAnswer]
    orphans: list[FindingAnswer]


class ExportAnswer(Answer):
    """A file to keep: `content` is its text, with the byte order mark where the file has one."""

    name: str
    content: str
