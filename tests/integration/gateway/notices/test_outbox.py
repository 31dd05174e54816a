"""Notices on both databases: made once, sent by any node, tried again, handed to the second way, dropped when over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from common.bus import LocalBus
from common.db import Database
from common.errors import NotFound
from common.paper import find_fonts
from common.secret import Secret
from gateway.notices.audit_names import NoticeAudit
from gateway.notices.model import (
    Ability,
    ChannelName,
    Delivery,
    Notice,
    NotSent,
    Outcome,
    Parcel,
    Person,
    Sent,
    deliveries,
)
from gateway.notices.outbox import Channel, Outbox
from gateway.notices.service import NoticeService
from gateway.notices.settings import MailSettings, NoticeSettings, WebhookSettings
from gateway.notices.store import NoticeStore
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import BcpEvent
from policy.bcp.model import DeclarationState, Role
from tests.support.audit import MemoryAudit
from tests.support.bcp_notices import (
    CITY,
    START,
    StaticDeclarations,
    StaticPeople,
    declaration,
    lifted,
    notice,
    signature,
)
from tests.support.clock import FakeClock

STAFF = [Person(f"staff{n}", f"職員{n}", f"staff{n}@city.example.jp") for n in range(120)]
SETTINGS = NoticeSettings(
    mail=MailSettings(host="mail.example.jp", sender="bcp@city.example.jp", announce_to=("desk@city.example.jp",)),
    webhook=WebhookSettings(url="https://sms.example.jp/", secret=Secret("s" * 32)),
    poll_seconds=0.05,
)


@dataclass
class Scripted:
    """A way out whose answers are set by the test."""

    answer: Outcome = field(default_factory=Sent)
    taken: list[Parcel] = field(default_factory=list)
    breaks: bool = False

    async def send(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Outcome]]:
        if self.breaks:
            raise RuntimeError("a fault of ours")
        await asyncio.sleep(0)
        self.taken.extend(parcels)
        return [(parcel, self.answer) for parcel in parcels]

    @property
    def names(self) -> list[str]:
        return [parcel.person.username for parcel in self.taken]


@dataclass
class Node:
    """One gateway's notices."""

    service: NoticeService
    mail: Scripted
    hook: Scripted
    declarations: StaticDeclarations


def node(database: Database, clock: FakeClock, audit: MemoryAudit, people: Sequence[Person] = STAFF[:3]) -> Node:
    mail, hook, declarations = Scripted(), Scripted(), StaticDeclarations([declaration()])
    channels: dict[ChannelName, Channel] = {ChannelName.MAIL: mail, ChannelName.WEBHOOK: hook}
    service = NoticeService(
        SETTINGS,
        tenant_id=CITY,
        tenant_ja="架橋市",
        tenant_en="Kakehashi City",
        url="https://vdi.example.jp",
        store=NoticeStore(database),
        declarations=declarations,
        people=StaticPeople(list(people)),
        channels=channels,
        fonts=find_fonts,
        clock=clock,
        audit=audit,
        bus=LocalBus(),
    )
    return Node(service, mail, hook, declarations)


@pytest.fixture
def first(database: Database, clock: FakeClock, audit: MemoryAudit) -> Node:
    return node(database, clock, audit)


async def send_all(one: Node) -> None:
    for name in ChannelName:
        while await one.service.outbox.send_due(name):
            pass


async def test_everybody_is_told_once_whichever_nodes_look(
    first: Node, database: Database, clock: FakeClock, audit: MemoryAudit
) -> None:
    other = node(database, clock, audit)
    await asyncio.gather(first.service.look(), other.service.look(), first.service.look())
    await asyncio.gather(send_all(first), send_all(other))
    told = sorted(first.mail.names + other.mail.names)
    assert told == ["kiki", "mailto:desk@city.example.jp", "mayor", "soumu", "staff0", "staff1", "staff2"]
    assert first.hook.names + other.hook.names == ["*"]
    assert audit.names().count(NoticeAudit.ANNOUNCE_NOTICE) == 1


async def test_batches_of_many_people_are_shared_between_nodes_without_doubles(
    database: Database, clock: FakeClock, audit: MemoryAudit
) -> None:
    one, two = (node(database, clock, audit, STAFF) for _ in range(2))
    await one.service.look()
    await asyncio.gather(send_all(one), send_all(two))
    names = one.mail.names + two.mail.names
    assert len(names) == len(set(names)) == 124


async def test_what_fails_is_tried_again_later_and_later_and_the_second_way_takes_over(
    first: Node, clock: FakeClock, audit: MemoryAudit
) -> None:
    await first.service.look()
    first.mail.answer = NotSent("451 try later")
    await send_all(first)
    assert (len(first.mail.taken), first.hook.names) == (7, ["*"])
    await send_all(first)
    assert len(first.mail.taken) == 7  # not before its time
    for wait in (30, 60):
        clock.advance(wait)
        await send_all(first)
    assert len(first.mail.taken) == 21
    assert sorted(first.hook.names) == ["*", "kiki", "mayor", "soumu", "staff0", "staff1", "staff2"]
    assert audit.names().count(NoticeAudit.SWITCH_CHANNEL) == 1
    first.mail.answer = Sent()
    clock.advance(120)
    await send_all(first)
    assert len(first.mail.taken) == 28
    clock.advance(timedelta(days=2))
    await send_all(first)
    assert len(first.mail.taken) == 28
    assert (await first.service.reach("bcp_1")).told == 6


async def test_a_recipient_who_does_not_exist_goes_to_the_second_way_at_once(first: Node) -> None:
    await first.service.look()
    first.mail.answer = NotSent("550 no such user", final=True)
    await send_all(first)
    assert len(first.hook.names) == 7
    reach = await first.service.reach("bcp_1")
    assert (reach.told, reach.failed) == (6, 0)


async def test_it_is_given_up_after_a_day_and_the_coordinator_sees_whom(first: Node, clock: FakeClock) -> None:
    first.mail.answer = first.hook.answer = NotSent("451 try later")
    await first.service.look()
    for _ in range(10):
        await send_all(first)
        clock.advance(timedelta(hours=3))
    tried = len(first.mail.taken)
    clock.advance(timedelta(days=1))
    await send_all(first)
    assert len(first.mail.taken) == tried
    reach = await first.service.reach("bcp_1")
    assert (reach.told, reach.failed) == (0, 6)


async def test_a_node_that_dies_with_a_batch_leaves_it_to_others(
    first: Node, database: Database, clock: FakeClock, audit: MemoryAudit
) -> None:
    await first.service.look()
    store = NoticeStore(database)
    lease, parcels = await store.claim(CITY, ChannelName.MAIL, clock.now(), lease=timedelta(minutes=10), limit=50)
    assert len(parcels) == 7
    await send_all(first)
    assert first.mail.taken == []
    clock.advance(timedelta(minutes=10))
    await send_all(first)
    assert len(first.mail.taken) == 7
    late: list[tuple[Parcel, Outcome]] = [(parcel, NotSent("late")) for parcel in parcels]
    begun = await store.finish(
        lease, late, clock.now(), give_up_after=timedelta(1), second=ChannelName.WEBHOOK, switch_after=1
    )
    assert begun == 0  # its lease was lost: what the other node wrote stands


async def test_a_channel_with_a_fault_of_our_own_is_an_attempt_that_failed(first: Node, clock: FakeClock) -> None:
    await first.service.look()
    first.mail.breaks = True
    await send_all(first)
    first.mail.breaks = False
    clock.advance(30)
    await send_all(first)
    assert len(first.mail.taken) == 7


async def test_the_end_drops_what_still_waits_and_is_told_itself(first: Node, clock: FakeClock) -> None:
    await first.service.look()
    clock.advance(60)
    over = lifted(clock.now(), note="解除します")
    first.declarations.found = [over]
    first.service.heard(BcpEvent(BcpAudit.LIFT_DECLARATION, over))
    await first.service.look()
    await send_all(first)
    assert {parcel.notice.content.state for parcel in first.mail.taken} == {DeclarationState.LIFTED}
    assert len(first.mail.taken) == 7


async def test_old_declarations_are_not_told_by_a_node_that_comes_late(first: Node, clock: FakeClock) -> None:
    clock.advance(timedelta(hours=24))
    await first.service.look()
    await send_all(first)
    assert first.mail.taken == []


async def test_officials_alone_are_asked_to_approve_and_reminded(first: Node, clock: FakeClock) -> None:
    waiting = declaration(
        state=DeclarationState.AWAITING_APPROVAL,
        starts_at=None,
        lapses_at=START + timedelta(minutes=30),
        signatures=(signature("soumu", Role.PROPOSED),),
    )
    first.declarations.found = []
    first.service.heard(BcpEvent(BcpAudit.PROPOSE_DECLARATION, waiting))
    reminded = BcpEvent(BcpAudit.REMIND_DECLARATION, declaration(), timedelta(hours=4))
    first.service.heard(reminded)
    first.service.heard(replace(reminded, remaining=timedelta(hours=1)))
    await first.service.look()
    await send_all(first)
    people = {parcel.person.username for parcel in first.mail.taken}
    assert people == {"mayor", "kiki", "soumu", "mailto:desk@city.example.jp"}
    kinds = [notice.kind for notice in await first.service.of_declaration("bcp_1")]
    assert sorted(kinds) == ["approval_wanted", "reminder", "reminder"]


async def test_people_confirm_and_answer_and_the_newest_answer_counts(first: Node, clock: FakeClock) -> None:
    await first.service.look()
    (made,) = await first.service.of_declaration("bcp_1")
    (shown,) = await first.service.shown_to("staff0", lambda _notice: True)
    assert (shown.read_at, shown.answer) == (None, None)
    await first.service.mark_read(made.id, "staff0")
    await first.service.answer(made.id, "staff1", Ability.CANNOT)
    clock.advance(60)
    await first.service.answer(made.id, "staff1", Ability.PARTLY, "午後から\r\n可能" + "x" * 500)
    await first.service.mark_read(made.id, "staff1")
    reach = await first.service.reach("bcp_1")
    assert (reach.read, reach.answers(Ability.PARTLY), reach.answers(Ability.CANNOT), reach.answers(None)) == (
        2,
        1,
        0,
        5,
    )
    (again,) = await first.service.shown_to("staff1", lambda _notice: True)
    assert again.answer is not None
    assert again.answer.note.startswith("午後から 可能x")
    assert len(again.answer.note) == 200
    assert again.read_at == START
    assert await first.service.shown_to("staff1", lambda _notice: False) == ()
    with pytest.raises(NotFound):
        await first.service.answer("ntc_none", "staff1", Ability.CAN)


async def test_the_same_answer_again_changes_nothing_and_writes_nothing(
    first: Node, clock: FakeClock, audit: MemoryAudit
) -> None:
    await first.service.look()
    (made,) = await first.service.of_declaration("bcp_1")
    for ability, note in (
        (Ability.CAN, "午後から"),
        (Ability.CAN, " 午後から "),
        (Ability.CAN, ""),
        (Ability.CANNOT, ""),
    ):
        said = await first.service.answer(made.id, "staff0", ability, note)
        clock.advance(60)
    again = await first.service.answer(made.id, "staff0", Ability.CANNOT)
    assert again == said
    assert audit.names().count(NoticeAudit.ANSWER_NOTICE) == 3


async def test_two_screens_of_one_person_answer_at_once(first: Node) -> None:
    await first.service.look()
    (made,) = await first.service.of_declaration("bcp_1")
    await asyncio.gather(*(first.service.answer(made.id, "staff0", Ability.CAN) for _ in range(4)))
    assert (await first.service.reach("bcp_1")).answers(Ability.CAN) == 1


async def test_running_it_sends_by_itself_and_an_audit_that_fails_stops_nothing(
    first: Node, audit: MemoryAudit
) -> None:
    audit.broken = True
    first.declarations.found = []
    first.service.start()
    first.service.heard(BcpEvent(BcpAudit.APPROVE_DECLARATION, declaration()))
    try:
        async with asyncio.timeout(10):
            while len(first.mail.taken) < 7 or len(first.hook.taken) < 1:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
    finally:
        await first.service.close()


async def test_people_without_any_way_are_kept_as_not_reached(
    database: Database, clock: FakeClock, audit: MemoryAudit
) -> None:
    store = NoticeStore(database)
    made = notice()
    planned = deliveries([Person("nomail", "無番"), STAFF[0]], [ChannelName.MAIL])
    assert planned == (
        Delivery(ChannelName.MAIL, Person("nomail", "無番"), reachable=False),
        Delivery(ChannelName.MAIL, STAFF[0]),
    )
    assert await store.add(made, planned, clock.now())
    assert not await store.add(made, planned, clock.now())
    reach = await store.reach(CITY, made.declaration_id)
    assert [(one.username, one.failed) for one in reach.people] == [("nomail", True), ("staff0", False)]
    box = Outbox(SETTINGS, tenant_id=CITY, store=store, channels={}, clock=clock, audit=audit)
    box.start()
    await box.close()


async def test_what_is_stored_is_what_was_made(database: Database, clock: FakeClock) -> None:
    store = NoticeStore(database)
    made: Notice = notice(declaration(reason="𠮷田さん\n'quoted'", ended_at=START))
    await store.add(made, (), clock.now())
    assert await store.get(CITY, made.id) == made


async def test_the_newest_notice_to_everybody_is_printed(first: Node) -> None:
    with pytest.raises(NotFound):
        await first.service.printed("bcp_1")
    await first.service.look()
    assert (await first.service.printed("bcp_1")).startswith(b"%PDF-")


async def test_a_person_whom_directory_and_register_spell_differently_is_one(first: Node) -> None:
    await first.service.look()
    [told] = await first.service.of_declaration("bcp_1")
    before = len((await first.service.reach("bcp_1")).people)
    await first.service.answer(told.id, "STAFF1", Ability.CAN)
    reach = await first.service.reach("bcp_1")
    assert (len(reach.people), reach.read, reach.answers(Ability.CAN)) == (before, 1, 1)
