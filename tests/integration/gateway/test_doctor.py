"""What the doctor says of broken infrastructure, on real servers: what is wrong and what to do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from common.audit import AuditEvent
from common.audit_spool import Spool
from common.db import Database, upgrade
from common.ids import TenantId
from gateway import doctor_outage
from gateway.doctor import examine
from gateway.doctor_finding import Finding
from gateway.settings import Settings
from tests.support.audit import node_log
from tests.support.clock import FakeClock, SteppedClock
from tests.support.gateway import run_gateway, settings
from tests.support.postgres import Postgres, run_postgres
from tests.support.slapd import Slapd, run_slapd


@pytest.fixture
def server() -> Iterator[Postgres]:
    with TemporaryDirectory(prefix="kakehashi-") as folder, run_postgres(Path(folder)) as own:
        own.sql("create database doctor")
        yield own


async def _findings(own: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in await examine(own)}


async def test_a_sound_installation_has_no_faults(tmp_path: Path, directory: Slapd, server: Postgres) -> None:
    own = settings(tmp_path / "gateway", directory, server.url("doctor"))
    async with run_gateway(own):
        found = await _findings(own)
    wrong = [finding for finding in found.values() if not finding.ok]
    assert wrong == []
    assert {f"gateway: {name}" for name in ("database", "directory", "audit", "clock")} <= set(found)
    assert "beside the database's" in found["clock"].text


async def test_every_broken_dependency_is_named_with_a_remedy(tmp_path: Path, server: Postgres) -> None:
    with run_slapd(tmp_path / "slapd") as slapd:
        own = settings(tmp_path / "gateway", slapd, server.url("doctor"), auth={"throttle": {}})
        async with run_gateway(own):
            server.stop()
            slapd.stop()
            try:
                found = await _findings(own)
            finally:
                server.start()
        names = ["database", "gateway: database", "gateway: directory", f"directory 127.0.0.1:{slapd.ldaps_port}"]
        for name in names:
            assert not found[name].ok, name
            assert found[name].remedy, name
        assert found["gateway: clock"].ok


async def test_a_spool_that_waits_or_is_damaged_shows(tmp_path: Path, directory: Slapd) -> None:
    url = f"sqlite:///{tmp_path / 'kakehashi.db'}"
    own = settings(tmp_path / "gateway", directory, url)
    assert (await _findings(own))["audit spool"].ok
    await upgrade(url)
    database = Database(url)
    path = own.audit.spool_for(own.node_id)
    log = node_log(database, FakeClock(), node_id=own.node_id, spool=Spool(path, limit_bytes=2**20))
    await log.start()
    await database.close()
    (tmp_path / "kakehashi.db").rename(tmp_path / "elsewhere.db")
    (tmp_path / "kakehashi.db").mkdir()
    await log.record(AuditEvent("cut-viewer", TenantId("city")))
    await log.close()
    found = (await _findings(own))["audit spool"]
    assert not found.ok
    assert "2 events wait" in found.text
    path.write_text(path.read_text("utf-8").replace("cut-viewer", "end-viewer"), "utf-8")
    assert "altered" in (await _findings(own))["audit spool"].text
    path.chmod(0o644)
    assert "chmod 600" in (await _findings(own))["audit spool"].remedy


async def test_a_clock_that_differs_from_the_databases_shows(
    tmp_path: Path, directory: Slapd, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings(tmp_path / "gateway", directory, server.url("doctor"))
    wrong = SteppedClock()
    wrong.step = timedelta(minutes=-5)
    monkeypatch.setattr(doctor_outage, "SystemClock", lambda: wrong)
    [found] = await doctor_outage.clock(own)
    assert not found.ok
    assert found.text.startswith("-300")
    assert "clock" in found.remedy
