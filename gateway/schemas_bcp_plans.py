"""Bodies of the routes for versions of BCP plans. Pure.

Counterpart: `gateway/handlers/bcp_plans.py`. A plan travels as the text of a plan file (YAML, of which JSON is a part)
with exactly one plan, so that form, file and command line go through one check.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from gateway.schemas import Answer, Body
from policy.bcp.model import Level
from policy.bcp.plan_versions import NOTE_MAX
from policy.loading import MAX_CHARS
from policy.problems import Severity


class PlanStanding(StrEnum):
    """How a version stands to what may be declared now."""

    IN_FORCE = "in_force"
    """This one is declared when somebody chooses the plan."""
    PROPOSED = "proposed"
    """Waits for the second person."""
    EARLIER = "earlier"
    """Was adopted; a newer one counts."""
    REJECTED = "rejected"
    REPLACED = "replaced"
    """Stands in the file; an adopted version counts instead."""
    UNUSABLE = "unusable"
    """Counts, but the policy of today does not bear it: the plan cannot be declared."""


class PlanTextBody(Body):
    """The text of a plan file with one plan."""

    largest: ClassVar[int] = 4 * MAX_CHARS
    """Bytes of a text of so many characters."""
    text: str = Field(max_length=MAX_CHARS)


class PlanEffectBody(PlanTextBody):
    """At which level its effect is asked for, and whether everybody is named."""

    level: Level
    all_names: bool = False


class PlanProposeBody(PlanTextBody):
    """A new version, and why."""

    note: str = Field(max_length=NOTE_MAX)


class PlanAdoptBody(Body):
    """What the second person saw: the digest of the plan, and of the effect beside it."""

    digest: str = Field(max_length=64)
    seen_diff: str | None = Field(default=None, max_length=64)


class PlanProblemAnswer(Answer):
    """One error or warning; `path` is the place in the text, `rule` the plan and line of it (`quake/W1`)."""

    severity: Severity
    path: str
    rule: str | None
    line: int | None
    text_ja: str
    text_en: str


class PlanCheckAnswer(Answer):
    """What proposing the text would run into; without errors the plan may be proposed."""

    ok: bool
    problems: list[PlanProblemAnswer]
    next_version: int | None
    """The least version the plan must have; None when the text is not that far."""


class PlanPersonAnswer(Answer):
    """Who signed, and when."""

    username: str
    display_name: str
    at: datetime


class PlanVersionAnswer(Answer):
    """One version of one plan. `id` names it in the API: plan and version."""

    id: str
    plan_id: str
    version: int
    name_ja: str
    name_en: str
    standing: PlanStanding
    from_file: bool
    note: str
    proposed: PlanPersonAnswer | None
    adopted: PlanPersonAnswer | None
    digest: str
    may: list[str]
    """Steps the caller may take: `adopt`, `reject`."""


class PlanVersionsAnswer(Answer):
    """Every version of every plan, newest first within a plan."""

    items: list[PlanVersionAnswer]
    problems: list[PlanProblemAnswer]
    """Of the file, and of adopted versions that cannot be used."""


class PlanContentAnswer(Answer):
    """A version with its content, as values and as the text of a file."""

    version: PlanVersionAnswer
    content: dict[str, Any]
    text: str
    next_version: int
