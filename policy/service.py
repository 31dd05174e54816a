"""Keeps the engine in force: loads the policy file, follows its changes, and never falls back to nothing.

Counterpart: the gateway holds one service and asks `current` for every decision; `policy.loading`, `policy.checks`
and `policy.engine` do the thinking. A faulty, vanished or unauditable change leaves the engine before it in force.
Must not decide.

The file is read whole and compared by hash (no file notification: it differs between local, network and container
file systems). A change counts once two reads in a row agree, so that a half-written file is never used.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from common.audit import AuditEvent, AuditSink
from common.clock import Clock
from common.errors import AuditUnavailable, ConfigError
from common.ids import TenantId
from common.log import get_logger
from common.tasks import TaskScope
from policy.audit_names import PolicyAudit
from policy.calendar import JST
from policy.checks import load
from policy.engine import Engine
from policy.model import Request
from policy.problems import PolicyInvalid, Problem
from policy.settings import PolicySettings

SETTLE_SECONDS: Final = 0.2
_log = get_logger(__name__)
Subscriber = Callable[[Engine], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy took effect; `warnings` do not keep it from being used."""

    version: str
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The file is the one in force."""

    version: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The file was not used; `version` is still in force."""

    version: str
    detail: str


ReloadOutcome = Loaded | Unchanged | Rejected


class PolicyService:
    """The policy in force. `await start()` before use, `await close()` at the end."""

    def __init__(self, settings: PolicySettings, *, tenant_id: TenantId, clock: Clock, audit: AuditSink) -> None:
        self._settings: Final = settings
        self._tenant_id: Final = tenant_id
        self._clock: Final = clock
        self._audit: Final = audit
        self._scope: Final = TaskScope()
        self._subscribers: Final[list[Subscriber]] = []
        self._turn: Final = asyncio.Lock()
        self._engine: Engine | None = None
        self._digest = b""
        self._refused = b""

    @property
    def current(self) -> Engine:
        """The engine in force. Hold it for one request or one round of judgements, not longer."""
        if self._engine is None:
            raise ConfigError("the policy service was not started")
        return self._engine

    async def start(self) -> None:
        """Load the file and follow it. Raises PolicyInvalid (or ConfigError) when it cannot be used: no policy, no
        service. Raises AuditUnavailable when that cannot be recorded."""
        await self._apply(await self._read())
        self._scope.spawn(self._watch(), name="policy-watch")

    async def close(self) -> None:
        """Stop following the file."""
        await self._scope.close()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every new engine (judge live sessions again then). Returns how to unsubscribe."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    async def reload(self) -> ReloadOutcome:
        """Look at the file now. Whatever is wrong with it, the engine in force stays."""
        async with self._turn:
            try:
                content = await self._read()
            except ConfigError as error:
                return await self._reject(error.detail, error.detail.encode())
            digest = hashlib.sha256(content).digest()
            if digest == self._digest:
                self._refused = b""
                return Unchanged(self.current.version)
            try:
                return await self._apply(content)
            except ConfigError as error:
                return await self._reject(error.detail, digest)
            except AuditUnavailable:
                _log.error("policy not changed, audit unavailable", policy_version=self.current.version)
                return Rejected(self.current.version, "audit unavailable")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            try:
                if await self._settled():
                    await self.reload()
            except Exception:  # noqa: BLE001 - the watch must outlive any single fault
                _log.exception("policy watch failed", path=str(self._settings.path))

    async def _settled(self) -> bool:
        """Whether the file differs from the one in force and is not being written just now."""
        try:
            first = await self._read()
            if hashlib.sha256(first).digest() == self._digest:
                return bool(self._refused)
            await asyncio.sleep(SETTLE_SECONDS)
            return first == await self._read()
        except ConfigError:
            return True

    async def _read(self) -> bytes:
        try:
            return await asyncio.to_thread(self._settings.path.read_bytes)
        except OSError as error:
            raise ConfigError(f"{self._settings.path}: cannot be read: {error.strerror}") from error

    async def _apply(self, content: bytes) -> Loaded:
        today = self._clock.now().astimezone(JST).date()
        document, warnings = await asyncio.to_thread(load, content, today=today)
        engine = Engine(document, on_alarm=_alarm)
        digest = hashlib.sha256(content).digest()
        await self._record(PolicyAudit.LOAD_POLICY, version=engine.version, rules=len(engine.rules), file=digest.hex())
        self._engine, self._digest, self._refused = engine, digest, b""
        _log.info("policy loaded", policy_version=engine.version, rules=len(engine.rules), warnings=len(warnings))
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(engine)
            except Exception:  # noqa: BLE001 - one subscriber's fault must not keep the news from the others
                _log.exception("policy subscriber failed")
        return Loaded(engine.version, warnings)

    async def _reject(self, detail: str, mark: bytes) -> Rejected:
        """Tell of a fault once, not at every look."""
        version = self.current.version
        if mark != self._refused:
            self._refused = mark
            _log.error("policy rejected, the one before stays", policy_version=version, detail=detail)
            try:
                await self._record(PolicyAudit.REJECT_POLICY, outcome_ok=False, version=version, detail=detail)
            except AuditUnavailable:
                _log.error("policy rejection not audited", policy_version=version)
        return Rejected(version, detail)

    async def _record(self, name: PolicyAudit, *, outcome_ok: bool = True, **details: str | int) -> None:
        await self._audit.record(
            AuditEvent(
                name=name,
                tenant_id=self._tenant_id,
                subject=str(self._settings.path),
                outcome="ok" if outcome_ok else "failed",
                details=details,
            )
        )


def _alarm(fault: str, request: Request) -> None:
    _log.error("policy decision failed", fault=fault, user_id=request.subject.user_id, pool_id=request.resource.pool_id)


__all__ = ["Loaded", "PolicyInvalid", "PolicyService", "Rejected", "ReloadOutcome", "Unchanged"]
