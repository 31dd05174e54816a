"""All SQL of notices: the messages, their deliveries (the outbox), receipts and answers. Counterpart:
`gateway.notices.service` and `.outbox`, the only importers.

A delivery is claimed under a lease before it is tried, so of several nodes one tries it; a node that dies leaves a
lease that runs out. Every change after that is compare-and-set on the lease.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import (
    Column,
    CursorResult,
    ForeignKeyConstraint,
    Index,
    Integer,
    Result,
    Row,
    String,
    Table,
    Text,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from common.db import Database, UtcDateTime, metadata
from common.ids import TenantId, new_id
from gateway.notices.model import (
    LIST,
    NOBODY,
    Ability,
    Answered,
    Audience,
    ChannelName,
    Delivery,
    DeliveryState,
    Notice,
    NoticeKind,
    NotSent,
    Outcome,
    Parcel,
    Person,
    Reach,
    Reached,
    Sent,
    decode,
    encode,
    retry_after,
)
from policy.bcp.model import Scope, ScopeKind

bcp_notice: Final = Table(
    "bcp_notice",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("declaration_id", String(64), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("scope_kind", String(16), nullable=False),
    Column("scope_ids", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("content", Text, nullable=False),
    Index("ix_bcp_notice_declaration", "tenant_id", "declaration_id"),
    Index("ix_bcp_notice_at", "tenant_id", "at"),
)
bcp_delivery: Final = Table(
    "bcp_delivery",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("notice_id", String(64), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("recipient", String(320), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("address", String(320)),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("lease", String(64)),
    Column("lease_until", UtcDateTime),
    Column("why", String(320)),
    Column("done_at", UtcDateTime),
    ForeignKeyConstraint(["tenant_id", "notice_id"], ["bcp_notice.tenant_id", "bcp_notice.id"], ondelete="CASCADE"),
    Index("ix_bcp_delivery_due", "tenant_id", "state", "next_at"),
)
bcp_receipt: Final = Table(
    "bcp_receipt",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("notice_id", String(64), primary_key=True),
    Column("username", String(320), primary_key=True),
    Column("read_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["tenant_id", "notice_id"], ["bcp_notice.tenant_id", "bcp_notice.id"], ondelete="CASCADE"),
)
bcp_answer: Final = Table(
    "bcp_answer",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("declaration_id", String(64), primary_key=True),
    Column("username", String(320), primary_key=True),
    Column("ability", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
_n, _d, _r, _a = bcp_notice.c, bcp_delivery.c, bcp_receipt.c, bcp_answer.c
_CHUNK: Final = 500


class NoticeStore:
    """Reads and writes; see the module."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def add(self, notice: Notice, deliveries: Sequence[Delivery], now: datetime) -> bool:
        """Keep a notice with its deliveries, all or nothing; False when another node was first."""
        try:
            async with self._database.transaction() as connection:
                await connection.execute(insert(bcp_notice).values(**_notice_values(notice)))
                await _insert_deliveries(connection, notice, deliveries, now)
        except IntegrityError:
            return False
        return True

    async def exists(self, tenant_id: TenantId, notice_id: str) -> bool:
        """Whether the notice was made already."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(_n.id).where(_n.tenant_id == tenant_id, _n.id == notice_id))
            return found.first() is not None

    async def drop_waiting(self, tenant_id: TenantId, declaration_id: str, *, but: str, now: datetime) -> int:
        """Whatever still waits of a declaration's other notices will not be sent any more."""
        notices = select(_n.id).where(_n.tenant_id == tenant_id, _n.declaration_id == declaration_id, _n.id != but)
        async with self._database.transaction() as connection:
            done = await connection.execute(
                update(bcp_delivery)
                .where(
                    _d.tenant_id == tenant_id,
                    _d.notice_id.in_(notices),
                    _d.state == DeliveryState.WAITING,
                )
                .values(state=str(DeliveryState.DROPPED), done_at=now, lease=None, lease_until=None)
            )
            return _count(done)

    async def claim(
        self, tenant_id: TenantId, channel: ChannelName, now: datetime, *, lease: timedelta, limit: int
    ) -> tuple[str, tuple[Parcel, ...]]:
        """What is due on a channel, reserved for the caller until the lease ends. Returns the lease's name with it."""
        name = new_id("lease")
        async with self._database.transaction() as connection:
            due = (
                await connection.execute(
                    select(_d.notice_id, _d.recipient)
                    .where(
                        _d.tenant_id == tenant_id,
                        _d.channel == channel,
                        _d.state == DeliveryState.WAITING,
                        _d.next_at <= now,
                        or_(_d.lease_until.is_(None), _d.lease_until <= now),
                    )
                    .order_by(_d.next_at, _d.notice_id, _d.recipient)
                    .limit(limit)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for row in due:
                await connection.execute(
                    update(bcp_delivery)
                    .where(*_one(tenant_id, channel, row.notice_id, row.recipient))
                    .values(lease=name, lease_until=now + lease)
                )
            found = await connection.execute(
                select(bcp_notice, _d.channel, _d.recipient, _d.name, _d.address, _d.attempts)
                .join(bcp_notice, (_n.tenant_id == _d.tenant_id) & (_n.id == _d.notice_id))
                .where(_d.tenant_id == tenant_id, _d.lease == name)
                .order_by(_d.notice_id, _d.recipient)
            )
            return name, tuple(_parcel(row) for row in found)

    async def finish(
        self,
        lease: str,
        results: Sequence[tuple[Parcel, Outcome]],
        now: datetime,
        *,
        give_up_after: timedelta,
        second: ChannelName | None,
        switch_after: int,
    ) -> int:
        """Write down what came of the attempts; for whom the first way keeps failing, the second begins. Returns how
        many began. Rows whose lease was lost are left alone."""
        switched: list[Parcel] = []
        async with self._database.transaction() as connection:
            for parcel, outcome in results:
                values = _after(parcel, outcome, now, give_up_after)
                done = await connection.execute(
                    update(bcp_delivery)
                    .where(
                        *_one(parcel.notice.tenant_id, parcel.channel, parcel.notice.id, parcel.person.username),
                        _d.lease == lease,
                    )
                    .values(**values, lease=None, lease_until=None)
                )
                failing = values["state"] == DeliveryState.FAILED or values["attempts"] >= switch_after
                if _count(done) and isinstance(outcome, NotSent) and failing and second is not None:
                    switched.append(parcel)
            return await _switch(connection, switched, second, now) if second is not None else 0

    async def get(self, tenant_id: TenantId, notice_id: str) -> Notice | None:
        """One notice."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(bcp_notice).where(_n.tenant_id == tenant_id, _n.id == notice_id))
            row = found.one_or_none()
            return None if row is None else _notice(row)

    async def of_declaration(self, tenant_id: TenantId, declaration_id: str) -> tuple[Notice, ...]:
        """All notices of a declaration, oldest first."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(bcp_notice)
                .where(_n.tenant_id == tenant_id, _n.declaration_id == declaration_id)
                .order_by(_n.at, _n.id)
            )
            return tuple(_notice(row) for row in found)

    async def since(self, tenant_id: TenantId, moment: datetime, limit: int = 50) -> tuple[Notice, ...]:
        """The newest notices, newest first."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(bcp_notice)
                .where(_n.tenant_id == tenant_id, _n.at >= moment)
                .order_by(_n.at.desc(), _n.id)
                .limit(limit)
            )
            return tuple(_notice(row) for row in found)

    async def read_by(self, tenant_id: TenantId, username: str, notice_ids: Sequence[str]) -> dict[str, datetime]:
        """Which of the notices the person has confirmed, and when."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(_r.notice_id, _r.read_at).where(
                    _r.tenant_id == tenant_id, _r.username == username, _r.notice_id.in_(notice_ids)
                )
            )
            return {row.notice_id: row.read_at for row in found}

    async def mark_read(self, tenant_id: TenantId, notice_id: str, username: str, now: datetime) -> bool:
        """Note the confirmation; False when it was there already. The first moment counts."""
        try:
            async with self._database.transaction() as connection:
                await connection.execute(
                    insert(bcp_receipt).values(tenant_id=tenant_id, notice_id=notice_id, username=username, read_at=now)
                )
        except IntegrityError:
            return False
        return True

    async def put_answer(self, tenant_id: TenantId, declaration_id: str, answer: Answered) -> None:
        """Keep a person's newest answer."""
        where = (_a.tenant_id == tenant_id, _a.declaration_id == declaration_id, _a.username == answer.username)
        values = {"ability": str(answer.ability), "note": answer.note, "at": answer.at}
        for _ in range(2):
            async with self._database.transaction() as connection:
                done = await connection.execute(update(bcp_answer).where(*where).values(**values))
            if _count(done):
                return
            try:
                async with self._database.transaction() as connection:
                    await connection.execute(
                        insert(bcp_answer).values(
                            tenant_id=tenant_id, declaration_id=declaration_id, username=answer.username, **values
                        )
                    )
            except IntegrityError:
                continue  # the same person on another screen was first: change that row
            return

    async def answer_of(self, tenant_id: TenantId, declaration_id: str, username: str) -> Answered | None:
        """A person's newest answer."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(bcp_answer).where(
                    _a.tenant_id == tenant_id, _a.declaration_id == declaration_id, _a.username == username
                )
            )
            row = found.one_or_none()
            return None if row is None else _answer(row)

    async def reach(self, tenant_id: TenantId, declaration_id: str) -> Reach:
        """Everybody whom any notice of the declaration was for, or who confirmed or answered, and how it stands."""
        notices = select(_n.id).where(_n.tenant_id == tenant_id, _n.declaration_id == declaration_id)
        async with self._database.transaction() as connection:
            sent = (
                await connection.execute(
                    select(_d.recipient, _d.name, _d.state)
                    .where(
                        _d.tenant_id == tenant_id,
                        _d.notice_id.in_(notices),
                        _d.recipient != NOBODY,
                        _d.recipient.not_like(f"{LIST}%"),
                    )
                    .distinct()
                )
            ).all()
            read = await connection.execute(
                select(_r.username, _r.read_at).where(_r.tenant_id == tenant_id, _r.notice_id.in_(notices))
            )
            first: dict[str, datetime] = {}
            for row in read:
                first[row.username] = min(first.get(row.username, row.read_at), row.read_at)
            found = await connection.execute(
                select(bcp_answer).where(_a.tenant_id == tenant_id, _a.declaration_id == declaration_id)
            )
            answers = {row.username: _answer(row) for row in found}
        return _reach([(row.recipient, row.name, row.state) for row in sent], first, answers)


def _reach(sent: Iterable[tuple[str, str, str]], read: dict[str, datetime], answers: dict[str, Answered]) -> Reach:
    """Joined by folded user names: the register may spell one in another case than the directory."""
    people: dict[str, tuple[str, str]] = {username.casefold(): (username, "") for username in (*read, *answers)}
    states: dict[str, set[str]] = {}
    for username, name, state in sent:
        people[username.casefold()] = (username, name)
        states.setdefault(username.casefold(), set()).add(state)
    read = {username.casefold(): at for username, at in read.items()}
    answers = {username.casefold(): answer for username, answer in answers.items()}
    return Reach(
        tuple(
            Reached(
                username=username,
                name=name,
                sent=DeliveryState.SENT in states.get(key, ()),
                failed=states.get(key, set()) == {str(DeliveryState.FAILED)},
                read_at=read.get(key),
                answer=answers.get(key),
            )
            for key, (username, name) in sorted(people.items())
        )
    )


async def _insert_deliveries(
    connection: AsyncConnection, notice: Notice, deliveries: Sequence[Delivery], now: datetime
) -> None:
    rows = [_delivery_values(notice, delivery, now) for delivery in deliveries]
    for start in range(0, len(rows), _CHUNK):
        await connection.execute(insert(bcp_delivery), rows[start : start + _CHUNK])


async def _switch(connection: AsyncConnection, parcels: Sequence[Parcel], second: ChannelName, now: datetime) -> int:
    """Begin the second way for those who are not on it yet."""
    begun = 0
    for parcel in parcels:
        if parcel.channel is second or parcel.person.username.startswith(LIST):
            continue
        where = _one(parcel.notice.tenant_id, second, parcel.notice.id, parcel.person.username)
        known = await connection.execute(select(_d.recipient).where(*where))
        if known.first() is None:
            values = _delivery_values(parcel.notice, Delivery(second, parcel.person), now)
            await connection.execute(insert(bcp_delivery).values(**values))
            begun += 1
    return begun


def _after(parcel: Parcel, outcome: Outcome, now: datetime, give_up_after: timedelta) -> dict[str, Any]:
    attempts = parcel.attempts + 1
    match outcome:
        case Sent():
            return {"state": str(DeliveryState.SENT), "attempts": attempts, "done_at": now, "why": None}
        case NotSent(why, final):
            next_at = now + retry_after(attempts)
            if final or next_at > parcel.notice.at + give_up_after:
                return {"state": str(DeliveryState.FAILED), "attempts": attempts, "done_at": now, "why": why[:320]}
            return {"state": str(DeliveryState.WAITING), "attempts": attempts, "next_at": next_at, "why": why[:320]}


def _count(done: Result[Any]) -> int:
    return cast(CursorResult[Any], done).rowcount


def _one(tenant_id: TenantId, channel: ChannelName, notice_id: str, recipient: str) -> tuple[Any, ...]:
    return (
        _d.tenant_id == tenant_id,
        _d.notice_id == notice_id,
        _d.channel == str(channel),
        _d.recipient == recipient,
    )


def _delivery_values(notice: Notice, delivery: Delivery, now: datetime) -> dict[str, Any]:
    person = delivery.person
    return {
        "tenant_id": notice.tenant_id,
        "notice_id": notice.id,
        "channel": str(delivery.channel),
        "recipient": person.username[:320],
        "name": person.name[:256],
        "address": person.address,
        "state": str(DeliveryState.WAITING if delivery.reachable else DeliveryState.FAILED),
        "attempts": 0,
        "next_at": now,
        "why": None if delivery.reachable else "no address known",
        "done_at": None if delivery.reachable else now,
    }


def _notice_values(notice: Notice) -> dict[str, Any]:
    return {
        "tenant_id": notice.tenant_id,
        "id": notice.id,
        "declaration_id": notice.declaration_id,
        "kind": str(notice.kind),
        "audience": str(notice.audience),
        "scope_kind": str(notice.scope.kind),
        "scope_ids": json.dumps(sorted(notice.scope.ids), ensure_ascii=False),
        "at": notice.at,
        "content": json.dumps(encode(notice.content), ensure_ascii=False, sort_keys=True),
    }


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        tenant_id=TenantId(row.tenant_id),
        declaration_id=row.declaration_id,
        kind=NoticeKind(row.kind),
        audience=Audience(row.audience),
        scope=Scope(ScopeKind(row.scope_kind), frozenset(json.loads(row.scope_ids))),
        at=row.at,
        content=decode(json.loads(row.content)),
    )


def _parcel(row: Row[Any]) -> Parcel:
    person = Person(row.recipient, row.name, row.address)
    return Parcel(_notice(row), ChannelName(row.channel), person, row.attempts)


def _answer(row: Row[Any]) -> Answered:
    return Answered(row.username, Ability(row.ability), row.note, row.at)
