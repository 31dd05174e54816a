"""The register on real databases: stored as it was read, changed as it was shown, recorded, told to other nodes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from broker.assembly import build_duties
from broker.catalogue import Catalogue
from broker.credentials import CredentialVault
from broker.duties import yaml_files
from broker.duties.models import Kind, Priority, Register
from broker.duties.records import SourceFile
from broker.duties.service import TOPIC, DutyService
from broker.models import Pool, PoolKind
from broker.settings import TriageSettings
from broker.store import PoolStore, TargetStore
from broker.triage.situation import Situation
from common.bus import LocalBus
from common.db import Database
from common.errors import AuditUnavailable, ErrorCode, KakehashiError, NotFound, StoreUnavailable
from common.ids import PoolId, TenantId
from common.secret import Keyring
from gateway.demo import synthetic
from policy.model import Zone
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.register import CITY, duty, member, register

OTHER = TenantId("other")


@dataclass
class Office:
    """A register service with what it stands on."""

    service: DutyService
    database: Database
    audit: MemoryAudit
    bus: LocalBus
    catalogue: Catalogue

    def another(self, tenant_id: TenantId = CITY) -> DutyService:
        """A further node on the same database, or another tenant."""
        return build_duties(
            tenant_id=tenant_id,
            database=self.database,
            catalogue=self.catalogue,
            audit=self.audit,
            bus=self.bus,
            clock=FakeClock(),
        )

    async def put(self, wanted: Register) -> None:
        """Preview and apply."""
        files = _files(wanted)
        plan = await self.service.preview(files)
        assert plan.faults == ()
        assert plan.digest is not None
        await self.service.apply(files, plan.digest, actor="it")


def _files(wanted: Register) -> list[SourceFile]:
    return [SourceFile("register.yaml", yaml_files.write(wanted).encode())]


def _pool(pool_id: str, zone: Zone) -> Pool:
    return Pool(CITY, PoolId(pool_id), "プール", "Pool", PoolKind.AGENT, "office", zone, None, 10)


@asynccontextmanager
async def _office(database: Database, audit: MemoryAudit) -> AsyncIterator[Office]:
    bus = LocalBus()
    vault = CredentialVault(Keyring({"k1": bytes(range(32))}, "k1"))
    catalogue = Catalogue(PoolStore(database, Situation(TriageSettings())), TargetStore(database), vault, audit, bus)
    for pool in (_pool("office", Zone.LGWAN), _pool("net", Zone.INTERNET)):
        await catalogue.put_pool(pool, actor="it")
    service = build_duties(
        tenant_id=CITY, database=database, catalogue=catalogue, audit=audit, bus=bus, clock=FakeClock()
    )
    await service.start()
    audit.events.clear()
    try:
        yield Office(service, database, audit, bus, catalogue)
    finally:
        await bus.close()


@pytest.fixture
async def office(database: Database, audit: MemoryAudit) -> AsyncIterator[Office]:
    """On SQLite and on PostgreSQL."""
    async with _office(database, audit) as made:
        yield made


async def test_what_is_imported_is_what_is_stored_and_exported(office: Office) -> None:
    wanted = register(duty("pay"), duty("hq", people=("0102", "0101"), substitutes=(), condition="一行\n二行"))
    await office.put(wanted)
    node = office.another()
    await node.start()
    assert node.book.register == replace(wanted, version=1)
    assert await node.export("register.yaml", actor="it") == yaml_files.write(wanted)
    for kind in Kind:
        files = [SourceFile(f"{kind}.csv", (await node.export(f"{kind}.csv", actor="it")).encode())]
        assert (await node.preview(files)).changes == ()


async def test_all_kinds_of_change_at_once(office: Office) -> None:
    await office.put(register(duty("pay"), duty("old"), staff=(member("0103", "tanaka"),)))
    moved = register(duty("pay", department="120", people=("0104",)), duty("new"), staff=(member("0104", "mori"),))
    departments = dict(moved.departments) | {"120": replace(moved.departments["110"], id="120", name_ja="財政課")}
    staff = dict(moved.staff) | {"0101": replace(moved.staff["0101"], department="120", username="satou")}
    moved = replace(moved, departments=departments, staff=staff)
    await office.put(moved)
    node = office.another()
    await node.start()
    assert node.book.register == replace(moved, version=2)
    assert node.duties_of("mori") == {"pay"}
    assert node.duties_of("tanaka") == node.duties_of("sato") == frozenset()


async def test_only_what_was_shown_is_applied(office: Office) -> None:
    files = _files(register(duty("pay")))
    shown = await office.service.preview(files)
    assert shown.digest is not None
    await office.put(register(duty("hq")))
    office.audit.events.clear()
    with pytest.raises(KakehashiError) as caught:
        await office.service.apply(files, shown.digest, actor="it")
    assert caught.value.code is ErrorCode.CONFLICT
    assert office.audit.names() == ["refuse-register-import"]
    assert set(office.service.book.register.duties) == {"hq"}
    with pytest.raises(KakehashiError):
        await office.service.apply(files, "0" * 64, actor="it")


async def test_of_two_imports_at_once_one_wins(office: Office) -> None:
    plans = [(_files(register(duty(name))), office.another()) for name in ("one", "two", "three")]
    digests = [(await node.preview(files)).digest for files, node in plans]
    results = await asyncio.gather(
        *(node.apply(files, digest or "", actor="it") for (files, node), digest in zip(plans, digests, strict=True)),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, KakehashiError)]
    assert len(refused) == 2
    assert {error.code for error in refused} == {ErrorCode.CONFLICT}
    assert [made.version for made in await office.service.history()] == [1]


async def test_faults_change_nothing(office: Office) -> None:
    await office.put(register(duty("pay")))
    before, recorded = office.service.book.register, len(office.audit.events)
    files = _files(register(duty("pay", people=("0101", "9999", "sato"))))
    plan = await office.service.apply(files, "0" * 64, actor="it")
    assert {fault.code for fault in plan.faults} == {"unknown_staff", "duplicate_staff"}
    assert office.service.book.register is before
    assert len(office.audit.events) == recorded
    node = office.another()
    await node.start()
    assert node.book.register == before


async def test_every_change_is_recorded_before_it_is_made(office: Office) -> None:
    await office.put(register(duty("pay")))
    names = office.audit.names()
    assert names[0] == "import-register"
    assert sorted(names[1:]) == ["change-department", "change-duty", "change-site", "change-staff"]
    office.audit.events.clear()
    await office.put(register(duty("pay", priority=Priority.P3)))
    whole, change = office.audit.events
    assert (whole.actor, whole.details["changed"], whole.details["added"]) == ("it", 1, 0)
    assert change.subject == "pay"
    assert change.details["priority"] == "P2 → P3"
    office.audit.broken = True
    with pytest.raises(AuditUnavailable):
        await office.put(register(duty("pay", priority=Priority.P4)))
    office.audit.broken = False
    node = office.another()
    await node.start()
    assert node.book.register.duties["pay"].priority is Priority.P3


async def test_an_import_without_a_change_makes_no_version(office: Office) -> None:
    await office.put(register(duty("pay")))
    await office.put(register(duty("pay")))
    assert [made.version for made in await office.service.history()] == [1]


async def test_earlier_registers_can_be_had_back(office: Office) -> None:
    first = register(duty("pay"))
    await office.put(first)
    await office.put(register(duty("hq")))
    text = await office.service.export("version-1.yaml", actor="it")
    assert text == yaml_files.write(first)
    await office.put(first)
    assert set(office.service.book.register.duties) == {"pay"}
    for name in ("version-9.yaml", "version-x.yaml", "version-.yaml", "register.csv", "../keys", "version-²"):
        with pytest.raises(NotFound):
            await office.service.export(name, actor="it")


async def test_exports_are_recorded_and_refused_when_they_cannot_be(office: Office) -> None:
    await office.service.export("staff.csv", actor="it")
    event = office.audit.events[-1]
    assert (event.name, event.actor, event.subject) == ("export-register", "it", "staff.csv")
    office.audit.broken = True
    with pytest.raises(AuditUnavailable):
        await office.service.export("staff.csv", actor="it")


async def test_other_nodes_learn_of_changes(office: Office) -> None:
    node = office.another()
    await node.start()
    told = asyncio.Event()
    node.subscribe(told.set)
    await office.put(register(duty("pay")))
    async with asyncio.timeout(5):
        await told.wait()
    assert node.duties_of("sato") == {"pay"}


async def test_tenants_do_not_see_each_other(office: Office) -> None:
    await office.put(register(duty("pay")))
    other = office.another(OTHER)
    await other.start()
    assert other.book.register == Register()
    files = _files(register())
    plan = await other.preview(files)
    await other.apply(files, plan.digest or "", actor="it")
    await office.service.reload()
    assert office.service.duties_of("sato") == {"pay"}
    (made,) = await other.history()
    assert made.version == 1


class _Gone:
    """The database as one node sees it that cannot reach it."""

    async def load(self, _tenant_id: TenantId) -> Register:
        """Like `DutyStore.load` then."""
        raise StoreUnavailable("gone")


async def test_an_outage_keeps_the_last_register(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.put(register(duty("pay")))
    node = office.another()
    await node.start()

    monkeypatch.setattr(node, "_store", _Gone())
    await office.bus.publish(TOPIC, "2")
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await node.reload()
    assert node.duties_of("sato") == {"pay"}


async def test_pools_that_went_leave_findings(office: Office) -> None:
    await office.put(register(duty("pay")))
    assert await office.service.findings() == ()
    await office.catalogue.delete_pool(CITY, PoolId("office"), actor="it")
    assert [found.code for found in await office.service.findings()] == ["unknown_pool"]


async def test_a_whole_city_is_imported(sqlite_database: Database, audit: MemoryAudit) -> None:
    async with _office(sqlite_database, audit) as office:
        city = synthetic.generate(pools={Zone.LGWAN: "office", Zone.INTERNET: "net"})
        await office.put(city.register)
        node = office.another()
        await node.start()
        assert node.book.register == replace(city.register, version=1)
        staff_events = [event for event in audit.events if event.name == "change-staff"]
        named = {key for event in staff_events for key in event.details if key != "version"}
        assert named == set(city.register.staff)
