"""Writes this node's audit chain: into the database, and while that is away into the node's spool.

Counterparts: `common/audit_store.py` (SQL and proof), `common/audit_spool.py` (the file), `common/audit.py` (the pure
half). Events of many callers share one write (group commit): each caller waits until its own event is durable. The
chain runs on through the spool; when the database is back, its events are carried over in order, and only then is
written there again. What is neither in the database nor in the spool has not been recorded, and its caller refuses.
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from common import audit_store as store
from common.audit import GENESIS, AuditEvent, ChainedEvent, Detail, Outcome, capped, chain
from common.audit_names import AuditAudit
from common.audit_spool import Found, Spool
from common.clock import Clock
from common.db import Database
from common.errors import AuditUnavailable, ConfigError, StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from common.tasks import TaskScope

_BATCH: Final = 200
MERGE_BATCH: Final = 500
_RETRY_SECONDS: Final = 1.0
_ALARM_SHARE: Final = 0.5
"""From this share of the spool's limit on every further tenth raises the alarm."""
CHECKPOINT_SECONDS: Final = 60.0
_log = get_logger(__name__)


def load_or_create_signing_key(path: Path) -> Ed25519PrivateKey:
    """The node's checkpoint key (PEM, 0600). Raises ConfigError when damaged or readable by others."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"audit key {path} cannot be created: {error.strerror}") from error
    else:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"audit key {path} can be read by others: chmod 600 it")
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"audit key {path} cannot be read: restore it from the backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"audit key {path} is not an Ed25519 key")
    return key


class AuditLog:
    """This node's chain. `start()` before use; `close()` writes a last checkpoint."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        node_id: str,
        tenant_id: TenantId,
        key: Ed25519PrivateKey,
        spool: Spool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._node_id = node_id
        self._tenant_id = tenant_id
        self._key = key
        self._spool = spool
        self._head = (0, GENESIS)
        self._checkpointed = 0
        self._spooled = 0
        self._merged_to = 0
        self._alarmed = _ALARM_SHARE
        self._away_since: datetime | None = None
        self._owed: list[ChainedEvent] = []
        self._waiting: list[tuple[AuditEvent, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._spooling = asyncio.Event()
        self._turn = asyncio.Lock()
        self._scope = TaskScope()

    async def start(self) -> None:
        """Find the head of the chain, in the database or in a spool that the last run left, and begin to write.

        Raises StoreUnavailable, ConfigError.
        """
        await asyncio.to_thread(self._spool.open)
        try:
            self._head = await store.head(self._database, self._node_id)
            self._checkpointed = await store.signed_up_to(self._database, self._node_id)
            distrusted = await self._take_up_spool()
        except BaseException:
            await asyncio.to_thread(self._spool.close)
            raise
        self._scope.spawn(self._write(), name="audit writer")
        self._scope.spawn(self._merge(), name="audit merge")
        self._scope.spawn(self._sign_regularly(), name="audit checkpoints")
        if distrusted is not None:
            await self.record(distrusted)

    async def close(self) -> None:
        """Sign what is unsigned and stop. Callers still waiting are refused; a spool waits for the next start."""
        await self._scope.close()
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(AuditUnavailable("the audit log is closing"))
        self._waiting.clear()
        try:
            await self.sign()
        except Exception as error:  # noqa: BLE001 - the end must come whatever a driver raises
            _log.error("no last audit checkpoint", exc_info=error)
        await asyncio.to_thread(self._spool.close)

    @property
    def spooling(self) -> bool:
        """Whether events go to the spool: the database is away, or has not got all of them yet."""
        return self._spooling.is_set()

    @property
    def spool_bytes(self) -> int:
        """How much waits for the database."""
        return self._spool.size

    async def ready(self) -> bool:
        """Whether events can be recorded: for /readyz."""
        if self._owed:
            async with self._turn:
                with contextlib.suppress(StoreUnavailable):
                    await self._settle()
        return not self._owed and (not self.spooling or await asyncio.to_thread(self._spool.has_room))

    async def record(self, event: AuditEvent) -> None:
        """See `AuditSink.record`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((capped(event), done))
        self._wake.set()
        await done

    # -- writing

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if not self._waiting:
                self._wake.clear()
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[tuple[AuditEvent, asyncio.Future[None]]]) -> None:
        written = False
        try:
            async with self._turn:
                await self._keep(self._chained([event for event, _ in batch], self._head))
            written = True
        except Exception as error:  # noqa: BLE001 - the writer must outlive whatever a driver raises: all wait for it
            _log.error("audit event not written", exc_info=error)
        finally:  # also when cancelled: nobody may wait for ever, and nobody may believe in an unwritten event
            for _, done in batch:
                if done.done():
                    continue
                if written:
                    done.set_result(None)
                else:
                    done.set_exception(AuditUnavailable("the event was not written"))

    def _chained(self, events: Sequence[AuditEvent], head: tuple[int, str]) -> list[ChainedEvent]:
        at = self._clock.now()
        found = []
        for event in events:
            found.append(chain(self._node_id, head[0] + 1, at, event, head[1]))
            head = (found[-1].seq, found[-1].hash)
        return found

    async def _keep(self, events: list[ChainedEvent]) -> None:
        """In the database, else in the spool. Raises when in neither."""
        if self.spooling:
            await self._put_in_spool(events)
            return
        try:
            await self._settle()
            await store.add(self._database, events)
        except StoreUnavailable as error:
            lost = self._own(AuditAudit.LOSE_DATABASE, "failed", cause=error.detail)
            await self._turn_to_spool(events, self._chained([lost], _place(events[-1])))
        else:
            self._head = _place(events[-1])

    async def _settle(self) -> None:
        """Events whose callers were refused, but which may be in the database: they are, from now on."""
        if self._owed:
            await store.merge(self._database, self._owed)
            self._owed = []

    async def _turn_to_spool(self, events: list[ChainedEvent], lost: list[ChainedEvent]) -> None:
        """The database did not answer. It may have the events all the same, if only its answer was lost: they keep
        their places in the chain, also when nothing can be written and their callers are refused."""
        self._away_since = self._clock.now()
        try:
            await self._put_in_spool([*self._owed, *events, *lost])
        except Exception:
            if not self._owed:
                self._owed, self._head = events, _place(events[-1])
            raise
        self._owed = []

    async def _put_in_spool(self, events: list[ChainedEvent]) -> None:
        await asyncio.to_thread(self._spool.append, events)
        self._head = _place(events[-1])
        self._spooled += len(events)
        if not self.spooling:
            _log.error("audit goes to the spool", path=str(self._spool.path))
            self._spooling.set()
        share = self._spool.size / self._spool.limit_bytes
        if share >= self._alarmed:
            self._alarmed = share + 0.1
            _log.error("audit spool fills", bytes=self._spool.size, limit=self._spool.limit_bytes)

    def _own(self, name: AuditAudit, outcome: Outcome, **details: Detail) -> AuditEvent:
        return capped(AuditEvent(name, self._tenant_id, actor=self._node_id, outcome=outcome, details=details))

    # -- carrying the spool over

    async def _merge(self) -> None:
        while True:
            await self._spooling.wait()
            try:
                await self._merge_page()
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - as long as it is not merged, the spool grows and is looked at
                _log.error("audit spool not merged", exc_info=error)
                await asyncio.sleep(10 * _RETRY_SECONDS)

    async def _merge_page(self) -> None:
        """Carry the next events over; when there are none, empty the spool and write to the database again."""
        events, end = await asyncio.to_thread(self._spool.page, self._merged_to, MERGE_BATCH)
        if events:
            await store.merge(self._database, events)
            self._merged_to = end
            return
        async with self._turn:
            if self._merged_to != self._spool.size:
                return
            await asyncio.to_thread(self._spool.clear)
            since = self._away_since.isoformat() if self._away_since else None
            regained = self._own(AuditAudit.REGAIN_DATABASE, "ok", events=self._spooled, since=since)
            self._merged_to, self._spooled, self._alarmed = 0, 0, _ALARM_SHARE
            self._spooling.clear()
        _log.warning("audit spool merged", events=regained.details["events"])
        await self.record(regained)
        await self.sign()

    async def _take_up_spool(self) -> AuditEvent | None:
        """Go on where the last run ended. A spool that does not fit the chain is set aside; the event that says so."""
        found = await asyncio.to_thread(self._spool.recover, self._node_id)
        fault, sound = found.fault, found.sound
        if not await self._follows(found):
            fault, sound = fault or "it does not follow the chain in the database", 0
        kept = None
        if fault is not None:
            name = f"distrusted-{self._clock.now():%Y%m%dT%H%M%S%f}"
            kept = await asyncio.to_thread(self._spool.set_aside, sound, name)
            _log.error("audit spool distrusted", fault=fault, kept=str(kept))
        if sound and found.first is not None and found.last is not None:
            if found.last.seq > self._head[0]:
                self._head = _place(found.last)
            self._spooled, self._away_since = found.events, found.first.at
            self._spooling.set()
        if kept is None:
            return None
        return self._own(AuditAudit.DISTRUST_SPOOL, "failed", fault=fault, kept=kept.name, events=found.events)

    async def _follows(self, found: Found) -> bool:
        """Whether the sound part continues the database's chain; what both have must be the same."""
        if found.first is None or found.last is None:
            return True
        seq, head_hash = self._head
        if found.first.seq > seq:
            return (found.first.seq, found.first.previous_hash) == (seq + 1, head_hash)
        common = min(seq, found.last.seq)
        own = await asyncio.to_thread(self._spool.hash_of, common)
        return own == await store.hash_of(self._database, self._node_id, common)

    # -- checkpoints

    async def _sign_regularly(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            try:
                await self.sign()
            except Exception as error:  # noqa: BLE001 - checkpoints must outlive whatever a driver raises
                _log.error("audit checkpoint not written", exc_info=error)

    async def sign(self) -> None:
        """Write a checkpoint over the head when there is something new and the database has it."""
        seq, head = self._head
        if seq == self._checkpointed or self.spooling or self._owed:
            return
        await store.add_checkpoint(
            self._database,
            node_id=self._node_id,
            tenant_id=self._tenant_id,
            seq=seq,
            chain_hash=head,
            at=self._clock.now(),
            key=self._key,
        )
        self._checkpointed = seq


def _place(event: ChainedEvent) -> tuple[int, str]:
    return event.seq, event.hash
