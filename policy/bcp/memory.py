"""What this node believes to be declared: read from the store, verified, kept in memory and in the bundle file.

Counterparts: `policy.bcp.store`, `policy.bcp.bundle`, `policy.bcp.sealing`; `policy.bcp.service` asks for the snapshot.
A row or file that is not sealed by the tenant's key, is older than one known already or breaks a rule is not active
here, and an alarm is raised once. Without the database the last snapshot goes on, for 72 hours at most.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from common.clock import Clock
from common.errors import SecretUnreadable, StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from common.secret import Keyring
from policy.bcp import bundle
from policy.bcp.audit_names import BcpAudit
from policy.bcp.bundle import Bundle, BundleDistrusted
from policy.bcp.chronicle import Chronicle
from policy.bcp.model import BUNDLE_VALID, OPEN, Declaration, DeclarationState
from policy.bcp.overlay import EMPTY, ActiveDeclaration, Deadline, Snapshot, activated
from policy.bcp.plan import Plan, plan_from
from policy.bcp.returning import kept, until
from policy.bcp.rules import fault
from policy.bcp.sealing import TenantKey
from policy.bcp.store import BcpStore, Stored, StoredPlan

_log = get_logger(__name__)


class Memory:
    """The snapshot and everything that makes it trustworthy."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        store: BcpStore,
        keyring: Keyring,
        clock: Clock,
        chronicle: Chronicle,
        bundle_file: Path,
    ) -> None:
        self._tenant_id: Final = tenant_id
        self._store: Final = store
        self._keyring: Final = keyring
        self._clock: Final = clock
        self._chronicle: Final = chronicle
        self._file: Final = bundle_file
        self._lock: Final = asyncio.Lock()
        self._changed: Final[list[Callable[[], None]]] = []
        self._deadlines: Final[dict[str, Deadline]] = {}
        self._versions: dict[str, int] = {}
        self._plan_versions: dict[str, int] = {}
        self._seals: dict[str, tuple[Declaration, str]] = {}
        self._past: Final[dict[str, ActiveDeclaration]] = {}
        self._former: tuple[ActiveDeclaration, ...] = ()
        self._has_read = False
        self._alarmed: Final[set[tuple[str, int]]] = set()
        self._alarms: Final[list[tuple[Stored, str]]] = []
        self._key: TenantKey | None = None
        self._sealed_key = ""
        self._read_at: datetime | None = None
        self.snapshot: Snapshot = EMPTY
        self.returning: Snapshot = EMPTY
        """What is in force and what lately was, each until its plan's grace is over."""
        self.open: tuple[Stored, ...] = ()
        """Everything that has not ended, as read last: verified declarations only."""
        self.cut_off = False
        """Whether the database did not answer the last time."""

    @property
    def read_at(self) -> datetime | None:
        """When the database was read last, by this node or by whoever wrote the bundle."""
        return self._read_at

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after every change of what is in force; returns how to stop that."""
        self._changed.append(callback)
        return lambda: self._changed.remove(callback)

    def announce(self) -> None:
        """Tell everybody that what is in force may have changed."""
        for callback in tuple(self._changed):
            try:
                callback()
            except Exception:  # noqa: BLE001 - one fault must not keep the news from the others
                _log.exception("bcp change callback failed")

    async def start(self) -> None:
        """Read the bundle file, then the store, which counts if it answers. Never raises for either.

        The file also says how far time had gone and which versions were known before the restart.
        """
        await self._from_bundle()
        await self.refresh()

    def now(self) -> tuple[datetime, float]:
        """Wall clock and monotonic seconds of this moment."""
        return self._clock.now(), self._clock.monotonic()

    def past(self, declaration_id: str) -> ActiveDeclaration | None:
        """A declaration that is or was active while this node ran."""
        return self._past.get(declaration_id)

    def seen(self, declaration: Declaration) -> Declaration:
        """The declaration with the latest moment that this node knows to have passed for it."""
        deadline = self._deadlines.get(declaration.id)
        if deadline is None:
            return declaration
        return replace(declaration, seen_at=max(declaration.seen_at, deadline.seen(*self.now())))

    async def key(self) -> TenantKey:
        """The tenant's key. Raises StoreUnavailable, SecretUnreadable."""
        return self._key or await self._read_key()

    @property
    def plan_versions(self) -> Mapping[str, int]:
        """The newest version known of each plan that was adopted in the console, also before a restart."""
        return self._plan_versions

    async def remember_plans(self, newest: Mapping[str, int]) -> None:
        """Keep what was adopted, in the file, too. Raises StoreUnavailable, SecretUnreadable."""
        if newest.items() <= self._plan_versions.items():
            return
        key = await self.key()
        async with self._lock:
            self._plan_versions.update(newest)
            await self._write_bundle(key)

    async def _read_key(self) -> TenantKey:
        """As the store has it now; made by the first node that needs it."""
        sealed = await self._store.signing_key(self._tenant_id)
        if sealed is None:
            fresh = TenantKey.new_sealed(self._keyring, self._tenant_id)
            sealed = await self._store.add_signing_key(self._tenant_id, fresh)
        if self._key is None or sealed != self._sealed_key:
            self._key, self._sealed_key = TenantKey.opened(sealed, self._keyring, self._tenant_id), sealed
        return self._key

    async def refresh(self) -> bool:
        """Read everything again; False when the database does not answer (what was known goes on)."""
        async with self._lock:
            try:
                key = await self._read_key()
                rows, plans = await self._store.read_open(self._tenant_id)
            except StoreUnavailable:
                if not self.cut_off:
                    _log.error("bcp: database away, deciding from what was read last")
                self.cut_off = True
                return False
            except SecretUnreadable as error:
                await self._chronicle.alarm(BcpAudit.DISTRUST_DECLARATION, None, error.detail)
                return False
            self.cut_off = False
            await self._take(key, rows, plans)
        await self.flush_alarms()
        return True

    async def trusted(self, stored: Stored | None) -> Declaration | None:
        """The declaration of a row if its seal is ours (ended ones carry none and are only read); raises the alarm
        otherwise."""
        if stored is None:
            return None
        declaration = stored.declaration
        if declaration is None:
            self._distrust(stored, "unreadable")
        elif declaration.state not in OPEN:
            return declaration
        elif not (await self.key()).is_ours(declaration, stored.seal):
            self._distrust(stored, "not signed by us")
        elif stored.version < self._versions.get(stored.id, 0):
            self._distrust(stored, "older than what was known")
        elif declaration.state is DeclarationState.ACTIVE and (broken := fault(declaration)):
            self._distrust(stored, broken)
        else:
            return self.seen(declaration)
        return None

    async def _take(self, key: TenantKey, rows: Sequence[Stored], stored_plans: Sequence[StoredPlan]) -> None:
        now, mono = self.now()
        plans = _plans(stored_plans)
        trusted = [(row, found) for row in rows if (found := await self.trusted(row)) is not None]
        active: list[ActiveDeclaration] = []
        seals: dict[str, tuple[Declaration, str]] = {}
        for row, declaration in trusted:
            if declaration.state is not DeclarationState.ACTIVE:
                continue
            item = self._activate(declaration, plans, now, mono)
            if item is None:
                self._distrust(row, "its plan was altered")
                continue
            active.append(item)
            seals[row.id] = (declaration, row.seal or "")
            self._versions[row.id] = max(row.version, self._versions.get(row.id, 0))
        for gone in self._seals.keys() - seals.keys():
            self._versions[gone] = max(self._versions.get(gone, 0), self._seals[gone][0].version + 1)
        self.open = tuple(replace(row, declaration=declaration) for row, declaration in trusted)
        await self._put(active, seals, Deadline(now + BUNDLE_VALID, now, mono))
        self._read_at, self._has_read = now, True
        if seals or self._plan_versions or self._file.exists():
            await self._write_bundle(key)

    async def _put(
        self, active: list[ActiveDeclaration], seals: dict[str, tuple[Declaration, str]], valid: Deadline
    ) -> None:
        before = {(item.declaration.id, item.declaration.version): item for item in self.snapshot.active}
        self._seals = seals
        self.snapshot = Snapshot(active, valid)
        after = {(item.declaration.id, item.declaration.version) for item in self.snapshot.active}
        self._keep([item for known, item in before.items() if known not in after], valid)
        self._past.update({item.declaration.id: item for item in active})
        if before.keys() != after:
            self.announce()

    def _keep(self, gone: Sequence[ActiveDeclaration], valid: Deadline) -> None:
        """What went out of force has its grace; after a restart from when it was last known to be in force. A drill
        that made way for the real thing has none."""
        now, mono = self.now()
        real = any(not item.declaration.drill for item in self.snapshot.active)
        fresh = []
        for item in gone:
            seen = item.deadline.seen(now, mono)  # not the wall clock, which may have been set back
            lost_at = seen if self._has_read else self._read_at or seen
            fresh.append(kept(item, lost_at, seen, mono))
        self._former = tuple(
            item
            for item in (*self._former, *fresh)
            if item is not None and not item.deadline.passed(now, mono) and not (real and item.declaration.drill)
        )
        ahead = [kept(item, item.ends_at, item.deadline.seen(now, mono), mono) for item in self.snapshot.active]
        self.returning = Snapshot([*filter(None, ahead), *self._former], valid)

    def _activate(
        self, declaration: Declaration, plans: dict[tuple[str, int], Plan], now: datetime, mono: float
    ) -> ActiveDeclaration | None:
        plan = plans.get((declaration.plan_id, declaration.plan_version))
        if plan is None:
            return None
        deadline = self._deadlines.get(declaration.id)
        if deadline is None or deadline.ends_at != declaration.ends_at:
            known = deadline.seen(now, mono) if deadline else now
            deadline = Deadline(declaration.ends_at, max(now, known, declaration.seen_at), mono)
            self._deadlines[declaration.id] = deadline
        deadline.passed(declaration.seen_at, mono)
        return activated(declaration, plan, deadline)

    async def _write_bundle(self, key: TenantKey) -> None:
        now, mono = self.now()
        moments = [item.deadline.seen(now, mono) for item in self.snapshot.active]
        content = Bundle(
            tenant_id=self._tenant_id,
            sealed_key=self._sealed_key,
            read_at=self._read_at or now,
            seen_at=max([now, *moments]) if moments else now,
            active=tuple((self.seen(declaration), seal) for declaration, seal in self._seals.values()),
            former=tuple((item.declaration, item.ends_at) for item in self._former),
            plans=tuple({item.plan.digest: item.plan for item in (*self.snapshot.active, *self._former)}.values()),
            versions=self._versions,
            plan_versions=self._plan_versions,
        )
        try:
            await asyncio.to_thread(bundle.write, self._file, content, key)
        except OSError:
            _log.exception("bcp bundle not written", path=str(self._file))

    async def _from_bundle(self) -> None:
        try:
            found = await asyncio.to_thread(bundle.read, self._file, self._keyring, self._tenant_id)
        except BundleDistrusted as error:
            await self._chronicle.alarm(BcpAudit.DISTRUST_BUNDLE, str(self._file), str(error))
            return
        if found is None:
            return
        key = TenantKey.opened(found.sealed_key, self._keyring, self._tenant_id)
        now, mono = self.now()
        self._versions = dict(found.versions)
        self._plan_versions = dict(found.plan_versions)
        plans = {(plan.id, plan.version): plan for plan in found.plans}
        active, seals = [], {}
        for declaration, seal in found.active:
            active_item = key.is_ours(declaration, seal) and self._activate(declaration, plans, now, mono)
            if active_item:
                active.append(active_item)
                seals[declaration.id] = (declaration, seal)
        self._key, self._sealed_key, self._read_at = key, found.sealed_key, found.read_at
        seen = max(now, found.seen_at)
        former = []
        for declaration, end in found.former:
            plan = plans.get((declaration.plan_id, declaration.plan_version))
            item = plan and activated(declaration, plan, Deadline(declaration.ends_at, seen, mono))
            former.append(until(item, end, seen, mono) if item else None)
        self._former = tuple(filter(None, former))
        self._past.update({item.declaration.id: item for item in self._former})
        valid = Deadline(found.read_at + BUNDLE_VALID, seen, mono)
        await self._put(active, seals, valid)
        _log.warning("bcp: decisions from the bundle file", declarations=len(active))

    async def keep_time(self) -> None:
        """Note how far time has gone, in the store and in the bundle: a restart under a stepped clock knows it then."""
        now, mono = self.now()
        seen = [(item.declaration.id, item.deadline.seen(now, mono)) for item in self.snapshot.active]
        if not seen:
            return
        try:
            await self._store.touch(self._tenant_id, seen)
        except StoreUnavailable:
            self.cut_off = True
        if self._key is not None:
            async with self._lock:
                await self._write_bundle(self._key)

    def _distrust(self, stored: Stored, why: str) -> None:
        if (stored.id, stored.version) not in self._alarmed:
            self._alarmed.add((stored.id, stored.version))
            self._alarms.append((stored, why))

    async def flush_alarms(self) -> None:
        """Record the alarms raised while a transaction was open (the audit needs one of its own)."""
        while self._alarms:
            stored, why = self._alarms.pop(0)
            await self._chronicle.alarm(BcpAudit.DISTRUST_DECLARATION, stored.id, why, version=stored.version)


def _plans(stored: Sequence[StoredPlan]) -> dict[tuple[str, int], Plan]:
    found: dict[tuple[str, int], Plan] = {}
    for row in stored:
        try:
            found[row.plan_id, row.version] = plan_from(row.content)
        except ValueError:
            _log.error("bcp plan unreadable", plan_id=row.plan_id, version=row.version)
    return found
