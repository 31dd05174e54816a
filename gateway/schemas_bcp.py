"""Bodies of the BCP API. Pure. Counterparts: `gateway/handlers/bcp.py`, the console, `kakehashi bcp`."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from gateway.schemas import Answer, Body
from policy.bcp.injects import MOST_ABSENT
from policy.bcp.model import Cause, DeclarationState, Level, Role, ScopeKind

Name = Annotated[str, Field(min_length=1, max_length=100)]
Digest = Annotated[str, Field(min_length=1, max_length=128)]


class ScopeBody(Body):
    """What a declaration is held for; `ids` is empty for the whole municipality."""

    kind: ScopeKind
    ids: list[Name] = Field(default_factory=list, max_length=200)


class InjectsBody(Body):
    """What a drill pretends."""

    absent_percent: int = Field(default=0, ge=0, le=MOST_ABSENT)
    directory_off: bool = False
    sites_down: list[Name] = Field(default_factory=list, max_length=50)
    half_capacity: bool = False


class ProposalBody(Body):
    """What a coordinator fills in."""

    scope: ScopeBody
    level: Level
    plan_id: Name
    cause: Cause
    reason: str = Field(min_length=1, max_length=500)
    ends_at: AwareDatetime | None = None
    drill: bool = False
    break_glass: bool = False
    absent: bool = False
    """The higher-ranked officials cannot be reached; the signer acts in their place."""
    supersedes: Name | None = None
    injects: InjectsBody = Field(default_factory=InjectsBody)
    """Only in a drill."""


class WhatIfBody(ProposalBody):
    """A proposal, and whether everybody who gains is named, instead of the first 200 of each pool."""

    all_names: bool = False


class DeclareBody(Body):
    """A proposal with the digest of the effect that was shown before it was signed."""

    proposal: ProposalBody
    seen_diff: Digest | None = None


class SignBody(Body):
    """A second signature under exactly what was shown."""

    digest: Digest
    seen_diff: Digest | None = None
    absent: bool = False


class ReasonBody(Body):
    """A note at lifting."""

    text: str = Field(default="", max_length=500)


class RejectBody(ReasonBody):
    """Why a proposal or a later end is turned down. For a later end `digest` says which one was shown."""

    digest: Digest | None = None


class EffectBody(Body):
    """With which end (null: the one that waits, or else the one signed), and whether everybody is named."""

    ends_at: AwareDatetime | None = None
    all_names: bool = False


class ExtendBody(Body):
    """A later end."""

    ends_at: AwareDatetime
    seen_diff: Digest | None = None
    absent: bool = False


class NarrowBody(Body):
    """Less than now: a part of the scope, a lower level, an earlier end, people taken out."""

    scope: ScopeBody | None = None
    level: Level | None = None
    ends_at: AwareDatetime | None = None
    block: list[Name] = Field(default_factory=list, max_length=500)


class ScopeAnswer(Answer):
    """A scope in words."""

    kind: ScopeKind
    ids: list[str]
    text_ja: str
    text_en: str


class SignatureAnswer(Answer):
    """One person's act."""

    person: str
    department: str | None
    role: Role
    at: datetime
    listed_rank: int | None
    acting: bool
    seen_diff: str | None
    """Digest of the effect that this person had on the screen."""


class PendingAnswer(Answer):
    """A longer end that waits for its second person. `seen_diff`: the effect that the first one saw."""

    ends_at: datetime
    digest: str
    lapses_at: datetime
    person: str
    seen_diff: str | None


class PlanName(Answer):
    """Which plan, in which version."""

    id: str
    version: int
    name_ja: str
    name_en: str


class NamedAnswer(Answer):
    """Something with a name."""

    id: str
    name_ja: str
    name_en: str


class InjectsAnswer(Answer):
    """What a drill pretends."""

    absent_percent: int
    directory_off: bool
    sites_down: list[NamedAnswer]
    half_capacity: bool


class DeclarationAnswer(Answer):
    """A declaration, and what the caller may do with it now."""

    id: str
    scope: ScopeAnswer
    level: Level
    level_ja: str
    level_en: str
    plan: PlanName
    cause: Cause
    cause_ja: str
    cause_en: str
    reason: str
    drill: bool
    injects: InjectsAnswer | None
    """None where nothing is pretended."""
    break_glass: bool
    state: DeclarationState
    created_at: datetime
    starts_at: datetime | None
    ends_at: datetime
    lapses_at: datetime | None
    planned_end: datetime | None
    ended_at: datetime | None
    end_note: str
    digest: str
    pending: PendingAnswer | None
    signatures: list[SignatureAnswer]
    may: list[str]


class DeclarationsAnswer(Answer):
    """Declarations, newest first."""

    items: list[DeclarationAnswer]


class OfficialAnswer(Answer):
    """One of the 発動権者."""

    username: str
    rank: int
    title_ja: str
    title_en: str


class BcpMeAnswer(Answer):
    """The caller's part."""

    roles: list[str]
    official: OfficialAnswer | None
    totp_fresh_until: datetime | None


class PoolLoadAnswer(Answer):
    """How full a pool is."""

    pool_id: str
    name_ja: str
    name_en: str
    used: int
    total: int
    queued: int


class BcpStatusAnswer(Answer):
    """Everything at a glance."""

    now: datetime
    me: BcpMeAnswer
    active: list[DeclarationAnswer]
    waiting: list[DeclarationAnswer]
    officials: list[OfficialAnswer]
    pools: list[PoolLoadAnswer]
    people_working: int


class WideningAnswer(Answer):
    """What a level of a plan opens, in words."""

    level: Level
    text_ja: str
    text_en: str


class PlanAnswer(Answer):
    """A plan, written in normal time."""

    id: str
    version: int
    name_ja: str
    name_en: str
    levels: list[Level]
    has_drill: bool
    contact_ja: str
    contact_en: str
    widenings: list[WideningAnswer]


class PlansAnswer(Answer):
    """All plans that can be declared."""

    items: list[PlanAnswer]


class DutyNameAnswer(NamedAnswer):
    """A duty with its priority."""

    priority: str


class ScopesAnswer(Answer):
    """What a declaration can be held for."""

    sites: list[NamedAnswer]
    departments: list[NamedAnswer]
    duties: list[DutyNameAnswer]


class NoticeAnswer(Answer):
    """What stands above the login page while a declaration is active."""

    text_ja: str
    text_en: str
    drill: bool


class PublicNoticeAnswer(Answer):
    """The notice, if there is one."""

    bcp: NoticeAnswer | None
