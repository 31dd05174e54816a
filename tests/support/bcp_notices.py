"""Declarations, plans, notices and parcels for the tests of notices and reports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from common.ids import TenantId, UserId
from gateway.demo import synthetic
from gateway.notices import due
from gateway.notices.model import ChannelName, Notice, Parcel, Person
from gateway.notices.texts import Words, words
from policy.bcp.model import (
    WHOLE_TENANT,
    Cause,
    Declaration,
    DeclarationState,
    Level,
    Official,
    Role,
    Scope,
    Signature,
)
from policy.bcp.plan import Plan, parse

CITY: Final = TenantId("city")
START: Final = datetime(2026, 4, 1, tzinfo=UTC)
OFFICIALS: Final = (
    Official("mayor", 1, "市長", "Mayor"),
    Official("kiki", 2, "危機管理監", "Crisis manager"),
)
PLAN: Final[Plan] = parse(synthetic.sample().plans)[0].plans[0].model_copy(update={"version": 3})
"""The synthetic city's, for an earthquake."""


def signature(person: str, role: Role, at: datetime = START, **over: Any) -> Signature:
    """A person's act."""
    values: dict[str, Any] = {
        "user_id": UserId(f"usr_{person}"),
        "person": {"kiki": "佐藤 花子", "soumu": "鈴木 一郎"}.get(person, person),
        "username": person,
        "department": "総務課",
        "role": role,
        "at": at,
        "totp_at": at,
        "listed_rank": None,
        "acting": False,
        "digest": "d",
    }
    return Signature(**(values | over))


def declaration(**over: Any) -> Declaration:
    """An active first level for the whole city, proposed and approved, 72 hours long."""
    values: dict[str, Any] = {
        "id": "bcp_1",
        "tenant_id": CITY,
        "scope": WHOLE_TENANT,
        "level": Level.FIRST,
        "plan_id": "quake",
        "plan_version": 3,
        "plan_digest": PLAN.digest,
        "cause": Cause.EARTHQUAKE,
        "reason": "震度6弱の地震により登庁が難しいため",
        "drill": False,
        "break_glass": False,
        "created_by": UserId("usr_soumu"),
        "created_at": START,
        "ends_at": START + timedelta(hours=72),
        "state": DeclarationState.ACTIVE,
        "version": 3,
        "seen_at": START,
        "starts_at": START,
        "signatures": (
            signature("soumu", Role.PROPOSED, START - timedelta(minutes=5)),
            signature("kiki", Role.APPROVED, listed_rank=2, acting=True),
        ),
    }
    return Declaration(**(values | over))


def lifted(at: datetime, note: str = "") -> Declaration:
    """The same, lifted."""
    base = declaration()
    return replace(
        base,
        state=DeclarationState.LIFTED,
        ended_at=at,
        end_note=note,
        version=4,
        signatures=(*base.signatures, signature("kiki", Role.LIFTED, at, listed_rank=2)),
    )


def notice(found: Declaration | None = None) -> Notice:
    """What the declaration gives to tell now."""
    found = found or declaration()
    newest = due.newest(found)
    assert newest is not None
    return due.notice(found, newest, PLAN, OFFICIALS, {"shelter": ("避難所運営", "Shelters")})


def said(parcel: Parcel) -> Words:
    """Its words."""
    return words(parcel.notice.content, tenant_ja="架橋市", tenant_en="Kakehashi City", url="https://vdi.example.jp")


def parcel(username: str = "tanaka", channel: ChannelName = ChannelName.MAIL, **over: Any) -> Parcel:
    """A notice for somebody, not tried yet."""
    person = Person(username, over.pop("name", "田中 𠮷之"), over.pop("address", f"{username}@city.example.jp"))
    return Parcel(over.pop("notice", notice()), channel, person, over.pop("attempts", 0))


@dataclass
class StaticPeople:
    """A register of a few people."""

    people: list[Person] = field(default_factory=list)

    async def in_scope(self, _scope: Scope) -> Sequence[Person]:
        """All of them."""
        return self.people

    async def named(self, usernames: Iterable[str]) -> Sequence[Person]:
        """With an address at the city."""
        return [Person(name, name, f"{name}@city.example.jp") for name in usernames]

    def names(self, _scope: Scope) -> dict[str, tuple[str, str]]:
        """One duty."""
        return {"shelter": ("避難所運営", "Shelters")}


@dataclass
class StaticDeclarations:
    """What BCP mode would answer."""

    found: list[Declaration] = field(default_factory=list)
    officials: tuple[Official, ...] = OFFICIALS

    async def history(self, limit: int = 200) -> tuple[Declaration, ...]:
        """Newest first."""
        return tuple(self.found[:limit])

    async def get(self, declaration_id: str) -> Declaration:
        """By its id."""
        return next(one for one in self.found if one.id == declaration_id)

    async def plan_of(self, _declaration: Declaration) -> Plan:
        """The one plan."""
        return PLAN
