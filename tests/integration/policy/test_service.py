"""The policy file on a real disk: followed, checked, and never replaced by something worse than what was in force."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from common.errors import AuditUnavailable, ConfigError
from common.ids import TenantId
from policy.audit_names import PolicyAudit
from policy.engine import Engine
from policy.problems import PolicyInvalid
from policy.service import Loaded, PolicyService, Rejected, Unchanged
from policy.settings import PolicySettings
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.policy import policy, request


def text(*groups: str) -> str:
    return yaml.safe_dump(policy([{"id": "N-01", "when": {"groups": list(groups)}}]), allow_unicode=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(text("telework"), "utf-8")
    return path


@pytest.fixture
async def service(file: Path, clock: FakeClock, audit: MemoryAudit) -> AsyncIterator[PolicyService]:
    made = PolicyService(
        PolicySettings(path=file, poll_seconds=0.05), tenant_id=TenantId("city"), clock=clock, audit=audit
    )
    await made.start()
    yield made
    await made.close()


def put(path: Path, content: str) -> None:
    path.write_text(content, "utf-8")


def swap(path: Path, content: str) -> None:
    """Replace the file by one of the same date and size class, as `rsync --inplace` or a restore would."""
    before = path.stat()
    fresh = path.with_suffix(".new")
    put(fresh, content)
    os.utime(fresh, ns=(before.st_atime_ns, before.st_mtime_ns))
    fresh.replace(path)


def told(audit: MemoryAudit, times: int) -> bool:
    return audit.names().count(PolicyAudit.REJECT_POLICY) == times


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the service under test tells some changes to nobody
            await asyncio.sleep(0.01)


async def test_a_changed_file_takes_effect_and_is_announced(
    service: PolicyService, file: Path, audit: MemoryAudit
) -> None:
    heard: list[Engine] = []
    unsubscribe = service.subscribe(heard.append)
    old = service.current
    assert old.decide(request()).allowed
    put(file, text("it-staff"))
    await until(lambda: bool(heard))
    assert service.current is heard[0]
    assert service.current.version != old.version
    assert not service.current.decide(request()).allowed
    assert old.decide(request()).allowed  # whoever still holds the old engine gets the old answers
    assert audit.names() == [PolicyAudit.LOAD_POLICY, PolicyAudit.LOAD_POLICY]
    assert audit.events[1].details["version"] == service.current.version
    unsubscribe()
    put(file, text("trainee"))
    await until(lambda: service.current is not heard[0])
    assert len(heard) == 1


async def test_an_atomically_replaced_file_with_an_old_date_is_noticed(service: PolicyService, file: Path) -> None:
    swap(file, text("it-staff"))
    await until(lambda: not service.current.decide(request()).allowed)


@pytest.mark.parametrize("bad", ["rules: [", "", "format: 1\nrulez: []", text("x").replace("permit", "limit")])
async def test_a_faulty_file_changes_nothing_and_is_told_once(
    service: PolicyService, file: Path, audit: MemoryAudit, bad: str
) -> None:
    engine = service.current
    put(file, bad)
    await until(lambda: PolicyAudit.REJECT_POLICY in audit.names())
    await asyncio.sleep(0.6)  # several looks at the same fault
    assert service.current is engine
    assert audit.names().count(PolicyAudit.REJECT_POLICY) == 1
    rejected = audit.events[-1]
    assert rejected.outcome == "failed"
    assert rejected.details["detail"]
    outcome = await service.reload()
    assert isinstance(outcome, Rejected)
    assert outcome.version == engine.version
    put(file, text("it-staff"))
    await until(lambda: service.current is not engine)


async def test_going_back_to_the_file_in_force_is_no_change(
    service: PolicyService, file: Path, audit: MemoryAudit
) -> None:
    engine, good = service.current, text("telework")
    for _ in range(2):
        put(file, "rules: [")
        assert isinstance(await service.reload(), Rejected)
        put(file, good)
        assert await service.reload() == Unchanged(engine.version)
    assert service.current is engine
    assert audit.names().count(PolicyAudit.REJECT_POLICY) == 2


async def test_an_untouched_file_is_left_alone_and_a_repaired_one_is_noticed(
    service: PolicyService, file: Path, audit: MemoryAudit
) -> None:
    engine = service.current
    await asyncio.sleep(0.3)
    assert audit.names() == [PolicyAudit.LOAD_POLICY]
    for count in (1, 2):  # the second fault is told, too, because the file was good in between
        put(file, "rules: [")
        await until(partial(told, audit, count))
        put(file, text("telework"))
        await asyncio.sleep(0.3)
    assert service.current is engine


async def test_a_vanished_file_changes_nothing(service: PolicyService, file: Path, audit: MemoryAudit) -> None:
    engine, good = service.current, text("telework")
    os.remove(file)
    await until(lambda: PolicyAudit.REJECT_POLICY in audit.names())
    assert service.current is engine
    put(file, good.replace("telework", "it-staff"))
    await until(lambda: service.current is not engine)


async def test_a_half_written_file_is_not_used(service: PolicyService, file: Path, audit: MemoryAudit) -> None:
    whole = (
        text("telework") + "- {id: N-99, effect: forbid, name: {ja: 禁止, en: Closed}, when: {groups: [telework]}}\n"
    )
    half = whole[: whole.index("- {id: N-99")]
    engine = service.current
    with file.open("w", encoding="utf-8") as writer:  # half of it would be valid, and lack the forbid
        writer.write(half + "# " + "x" * 20)
        writer.flush()
        for _ in range(30):
            await asyncio.sleep(0.02)
            writer.write("x")
            writer.flush()
            assert service.current is engine
        writer.write("\n" + whole[len(half) :])
    await until(lambda: service.current is not engine)
    assert not service.current.decide(request()).allowed
    assert PolicyAudit.REJECT_POLICY not in audit.names()


async def test_a_change_that_cannot_be_recorded_is_not_made(
    service: PolicyService, file: Path, audit: MemoryAudit
) -> None:
    engine = service.current
    audit.broken = True
    put(file, text("it-staff"))
    assert isinstance(await service.reload(), Rejected)
    put(file, "rules: [")
    assert isinstance(await service.reload(), Rejected)
    assert service.current is engine
    audit.broken = False
    put(file, text("it-staff"))
    await until(lambda: service.current is not engine)


async def test_one_failing_subscriber_does_not_silence_the_others(service: PolicyService, file: Path) -> None:
    def failing(_: Engine) -> None:
        raise RuntimeError("broken by the test")

    heard: list[Engine] = []
    service.subscribe(failing)
    service.subscribe(heard.append)
    put(file, text("it-staff"))
    assert isinstance(await service.reload(), Loaded)
    assert heard == [service.current]


async def test_the_watch_survives_a_fault_of_its_own(
    service: PolicyService, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = service.current
    calls = 0
    real = PolicyService.reload

    async def failing_once(self: PolicyService) -> object:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("broken by the test")
        return await real(self)

    monkeypatch.setattr(PolicyService, "reload", failing_once)
    put(file, text("it-staff"))
    await until(lambda: service.current is not engine)
    assert calls > 1


async def test_alarms_reach_the_log_and_the_answer_is_no(
    service: PolicyService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not service.current.decide(request(groups=None)).allowed
    assert "policy decision failed" in "".join(capsys.readouterr())


async def test_no_policy_no_service(tmp_path: Path, clock: FakeClock, audit: MemoryAudit) -> None:
    def made(content: str | None) -> PolicyService:
        path = tmp_path / "policy.yaml"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content, "utf-8")
        return PolicyService(PolicySettings(path=path), tenant_id=TenantId("city"), clock=clock, audit=audit)

    with pytest.raises(ConfigError):
        _ = made(None).current
    with pytest.raises(ConfigError, match="cannot be read"):
        await made(None).start()
    with pytest.raises(PolicyInvalid):
        await made("format: 2").start()
    audit.broken = True
    with pytest.raises(AuditUnavailable):
        await made(text("telework")).start()
