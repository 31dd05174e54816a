"""Notices as the gateway uses them: made when a declaration moves, shown, confirmed, answered, counted.

Counterparts: `policy.bcp.service`, whose events this listens to; `gateway.notices.outbox`, which sends. A declaration
waits for nothing here: its event is put down, and a task of our own does the rest. Every node looks again from time to
time at what is declared, so that a notice is made although the node that should have made it died.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from common.audit import AuditEvent, AuditSink, Detail
from common.bus import EventBus
from common.clock import Clock
from common.errors import KakehashiError, NotFound
from common.ids import TenantId
from common.log import get_logger
from common.paper import Fonts
from common.tasks import TaskScope
from gateway.notices import due
from gateway.notices.audit_names import NoticeAudit
from gateway.notices.model import (
    Ability,
    Answered,
    Audience,
    ChannelName,
    Notice,
    NoticeKind,
    Person,
    Reach,
    deliveries,
)
from gateway.notices.outbox import Channel, Outbox
from gateway.notices.people import People
from gateway.notices.printable import pdf
from gateway.notices.settings import NoticeSettings
from gateway.notices.store import NoticeStore
from gateway.notices.texts import Words, words
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import BcpEvent
from policy.bcp.model import Declaration, Official, Refused, Scope
from policy.bcp.plan import Plan

TOPIC: Final = "receipts"
"""On the bus: somebody was told, has read it or has answered."""
LATEST: Final = timedelta(hours=24)
"""What is older is not told any more by a node that only now learns of it."""
SHOWN: Final = timedelta(days=14)
MAX_NOTE: Final = 200
_LOOK_SECONDS: Final = 30.0
_TELL_SECONDS: Final = 2.0
"""A city confirms at once; whoever watches the counts need not read them again for each of them."""
_MOST_WAITING: Final = 1_000
_log = get_logger(__name__)


class Declarations(Protocol):
    """What this service asks of BCP mode (`policy.bcp.service.BcpService`)."""

    @property
    def officials(self) -> tuple[Official, ...]:
        """The list of those who may sign."""
        ...

    async def history(self, limit: int = 200) -> tuple[Declaration, ...]:
        """The newest declarations."""
        ...

    async def plan_of(self, declaration: Declaration) -> Plan:
        """The plan that was declared."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice for one person, in words, with what they have said to it."""

    notice: Notice
    words: Words
    read_at: datetime | None
    answer: Answered | None


class NoticeService:
    """`start` before use, `close` at the end. Listen to BCP mode with `heard`."""

    def __init__(
        self,
        settings: NoticeSettings,
        *,
        tenant_id: TenantId,
        tenant_ja: str,
        tenant_en: str,
        url: str,
        store: NoticeStore,
        declarations: Declarations,
        people: People,
        channels: Mapping[ChannelName, Channel],
        fonts: Callable[[], Fonts],
        clock: Clock,
        audit: AuditSink,
        bus: EventBus,
    ) -> None:
        """`fonts` may raise ConfigError, which then only printing meets."""
        self._settings: Final = settings
        self._tenant_id: Final = tenant_id
        self._tenant: Final = (tenant_ja, tenant_en)
        self._url: Final = url
        self._store: Final = store
        self._declarations: Final = declarations
        self._people: Final = people
        self._fonts: Final = fonts
        self._clock: Final = clock
        self._audit: Final = audit
        self._bus: Final = bus
        self._scope: Final = TaskScope()
        self._news: Final[deque[BcpEvent]] = deque(maxlen=_MOST_WAITING)
        self._wake: Final = asyncio.Event()
        self._said: Final = asyncio.Event()
        self._turn: Final = asyncio.Lock()
        self.outbox: Final = Outbox(
            settings, tenant_id=tenant_id, store=store, channels=channels, clock=clock, audit=audit
        )

    def start(self) -> None:
        """Begin to make and send notices."""
        self._scope.spawn(self._run(), name="notices")
        self._scope.spawn(self._tell(), name="receipts told")
        self.outbox.start()

    async def close(self) -> None:
        """Stop. What was not made is made by the next node that looks."""
        await self._scope.close()
        await self.outbox.close()

    def heard(self, event: BcpEvent) -> None:
        """Something happened to a declaration: for `BcpService.subscribe`. Never blocks, never raises."""
        self._news.append(event)
        self._wake.set()

    def words(self, notice: Notice) -> Words:
        """What a notice says."""
        return words(notice.content, tenant_ja=self._tenant[0], tenant_en=self._tenant[1], url=self._url)

    # ---- making ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except KakehashiError as error:
                _log.warning("notices not made yet", code=error.code, detail=error.detail)
            except Exception:  # noqa: BLE001 - must outlive any single fault
                _log.exception("notices not made")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_SECONDS)
            self._wake.clear()

    async def _tell(self) -> None:
        while True:
            await self._said.wait()
            self._said.clear()
            try:
                await self._bus.publish(TOPIC, self._tenant_id)
            except KakehashiError as error:
                _log.warning("receipts not told", code=error.code, detail=error.detail)
            await asyncio.sleep(_TELL_SECONDS)

    async def look(self) -> None:
        """Make what is due: from the events heard, then from all declarations. Raises StoreUnavailable; the events
        wait then."""
        async with self._turn:  # one look at a time: each takes the events from the front
            while self._news:
                await self._make(self._news[0])
                self._news.popleft()
            now = self._clock.now()
            for declaration in reversed(await self._declarations.history(50)):
                found = due.newest(declaration)
                if found is not None and now - LATEST < found.at <= now + LATEST:
                    await self._announce(declaration, found)

    async def _make(self, event: BcpEvent) -> None:
        if event.name is BcpAudit.REMIND_DECLARATION and event.remaining is not None:
            await self._announce(event.declaration, due.reminder(event.declaration, event.remaining, self._clock.now()))
        elif (found := due.newest(event.declaration)) is not None:
            await self._announce(event.declaration, found)

    async def _announce(self, declaration: Declaration, found: due.Due) -> None:
        try:
            plan = await self._declarations.plan_of(declaration)
        except Refused as error:
            _log.error("no notice: the plan is unknown", declaration_id=declaration.id, detail=error.detail)
            return
        names = self._people.names(declaration.scope)
        notice = due.notice(declaration, found, plan, self._declarations.officials, names)
        if await self._store.exists(self._tenant_id, notice.id):
            return
        now = self._clock.now()
        people = await self._audience(notice, declaration)
        lists = self._settings.mail.announce_to if self._settings.mail else ()
        planned = deliveries(people, self._settings.channels, lists)
        if not await self._store.add(notice, planned, now):
            return
        if notice.kind in (NoticeKind.ENDED, NoticeKind.TURNED_DOWN):
            await self._store.drop_waiting(self._tenant_id, declaration.id, but=notice.id, now=now)
        self.outbox.wake()
        self._said.set()
        await self._note(
            NoticeAudit.ANNOUNCE_NOTICE,
            notice.id,
            declaration_id=declaration.id,
            kind=notice.kind,
            drill=declaration.drill,
            audience=notice.audience,
            people=len(people),
            without_address=sum(not delivery.reachable for delivery in planned),
        )

    async def _audience(self, notice: Notice, declaration: Declaration) -> list[Person]:
        officials = [official.username for official in self._declarations.officials]
        signers = [signed.username for signed in declaration.signatures]
        found = {person.username: person for person in await self._people.named([*officials, *signers])}
        if notice.audience is Audience.EVERYBODY:
            found |= {person.username: person for person in await self._people.in_scope(notice.scope)}
        return list(found.values())

    async def would_tell(self, scope: Scope) -> Sequence[Person]:
        """The people of a scope, as a declaration for it would tell them."""
        return await self._people.in_scope(scope)

    # ---- what people see and say -----------------------------------------------------------------------------

    async def shown_to(self, username: str, concerns: Callable[[Notice], bool]) -> tuple[Shown, ...]:
        """The newest notice of each declaration of the last days that concerns the person, newest first. `concerns`
        says whether a notice does (the caller knows duties, site and department)."""
        newest: dict[str, Notice] = {}
        for notice in await self._store.since(self._tenant_id, self._clock.now() - SHOWN):
            if concerns(notice):
                newest.setdefault(notice.declaration_id, notice)
        read = await self._store.read_by(self._tenant_id, username, [notice.id for notice in newest.values()])
        return tuple(
            [
                Shown(
                    notice,
                    self.words(notice),
                    read.get(notice.id),
                    await self._store.answer_of(self._tenant_id, notice.declaration_id, username),
                )
                for notice in newest.values()
            ]
        )

    async def get(self, notice_id: str) -> Notice:
        """One notice. Raises NotFound."""
        found = await self._store.get(self._tenant_id, notice_id)
        if found is None:
            raise NotFound(f"notice {notice_id}")
        return found

    async def printed(self, declaration_id: str) -> bytes:
        """The declaration's newest notice to everybody as PDF, to be put up. Raises NotFound (there is none, or not
        yet), ConfigError (no font)."""
        told = [one for one in await self.of_declaration(declaration_id) if one.audience is Audience.EVERYBODY]
        if not told:
            raise NotFound(f"no notice of {declaration_id}")
        fonts = self._fonts()
        return await asyncio.to_thread(pdf, told[-1], self.words(told[-1]), issuer=self._tenant[0], fonts=fonts)

    async def of_declaration(self, declaration_id: str) -> tuple[Notice, ...]:
        """All notices of a declaration, oldest first."""
        return await self._store.of_declaration(self._tenant_id, declaration_id)

    async def mark_read(self, notice_id: str, username: str, *, source: str | None = None) -> None:
        """既読. Raises NotFound."""
        notice = await self.get(notice_id)
        if await self._store.mark_read(self._tenant_id, notice_id, username, self._clock.now()):
            self._said.set()
            await self._note(
                NoticeAudit.READ_NOTICE,
                notice_id,
                actor=username,
                source=source,
                declaration_id=notice.declaration_id,
                drill=notice.content.drill,
            )

    async def answer(
        self, notice_id: str, username: str, ability: Ability, note: str = "", *, source: str | None = None
    ) -> Answered:
        """業務可・一部可・不可, which also confirms the notice; the newest answer counts. The same once more
        leaves the first one as it is. Raises NotFound."""
        notice = await self.get(notice_id)
        made = Answered(username, ability, " ".join(note.split())[:MAX_NOTE], self._clock.now())
        await self.mark_read(notice_id, username, source=source)
        last = await self._store.answer_of(self._tenant_id, notice.declaration_id, username)
        if last is not None and (last.ability, last.note) == (made.ability, made.note):
            return last
        await self._store.put_answer(self._tenant_id, notice.declaration_id, made)
        self._said.set()
        await self._note(
            NoticeAudit.ANSWER_NOTICE,
            notice_id,
            actor=username,
            source=source,
            declaration_id=notice.declaration_id,
            ability=ability,
            drill=notice.content.drill,
        )
        return made

    async def reach(self, declaration_id: str) -> Reach:
        """Who was told, who confirmed and who can work, for the coordinator."""
        return await self._store.reach(self._tenant_id, declaration_id)

    async def _note(
        self,
        name: NoticeAudit,
        subject: str,
        *,
        actor: str | None = None,
        source: str | None = None,
        **details: Detail,
    ) -> None:
        event = AuditEvent(name, self._tenant_id, actor=actor, subject=subject, source=source, details=details)
        try:
            await self._audit.record(event)
        except KakehashiError:
            _log.error("audit event lost", event_name=name, subject=subject)
