"""The plans that may be declared now: reads the file, follows its changes, keeps the ones before when it is faulty.

Counterparts: `policy.bcp.proof` (what makes a plan acceptable), `policy.bcp.service`. A plan that was declared once
cannot be changed under the same version. A faulty file at start leaves the shelf empty and the rest of the gateway at
work.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.audit import Detail
from common.clock import Clock
from common.errors import AuditUnavailable, KakehashiError, StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from policy.bcp import proof
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import Chronicle
from policy.bcp.plan import Plan
from policy.bcp.store import BcpStore
from policy.bcp.surroundings import Surroundings
from policy.calendar import JST
from policy.model import Resource
from policy.problems import PolicyInvalid, Problem, Severity
from policy.service import PolicyService

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlansLoaded:
    """New plans may be declared; `warnings` do not keep them from it."""

    plans: tuple[Plan, ...]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class PlansUnchanged:
    """The file is the one in use."""


@dataclass(frozen=True, slots=True)
class PlansRejected:
    """The file was not used; the plans before it stay. Every problem names plan and line."""

    problems: tuple[Problem, ...]


PlansOutcome = PlansLoaded | PlansUnchanged | PlansRejected


class Shelf:
    """The plans of one tenant."""

    def __init__(
        self,
        path: Path | None,
        *,
        tenant_id: TenantId,
        policy: PolicyService,
        store: BcpStore,
        surroundings: Surroundings,
        clock: Clock,
        chronicle: Chronicle,
    ) -> None:
        self._path: Final = path
        self._tenant_id: Final = tenant_id
        self._policy: Final = policy
        self._store: Final = store
        self._surroundings: Final = surroundings
        self._clock: Final = clock
        self._chronicle: Final = chronicle
        self._lock: Final = asyncio.Lock()
        self._digest = b""
        self._refused = b""
        self.plans: tuple[Plan, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        """Of the file looked at last: why it was refused, or its warnings."""

    def get(self, plan_id: str) -> Plan | None:
        """The plan as the file has it now."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    async def reload(self) -> PlansOutcome:
        """Look at the file now. Never raises: whatever is wrong, the plans before stay."""
        if self._path is None:
            return PlansUnchanged()
        async with self._lock:
            try:
                content = await asyncio.to_thread(self._path.read_bytes)
            except OSError as error:
                return await self._reject((_unreadable(self._path, error.strerror or "error"),), b"unreadable")
            mark = hashlib.sha256(content + self._policy.current.version.encode()).digest()
            if mark == self._digest:
                self._refused = b""
                return PlansUnchanged()
            try:
                return await self._load(content, mark)
            except PolicyInvalid as error:
                return await self._reject(error.problems, mark)
            except AuditUnavailable:
                _log.error("bcp plans not changed, audit unavailable")
                return PlansRejected(self.problems)

    async def _load(self, content: bytes, mark: bytes) -> PlansLoaded:
        today = self._clock.now().astimezone(JST).date()
        known = await self._known()
        base = self._policy.current.document
        plans, warnings = await asyncio.to_thread(proof.load, content, base, today=today, known=known)
        if changed := await self._changed(plans):
            raise PolicyInvalid([_reused(plan) for plan in changed])
        facts: dict[str, Detail] = {
            "plans": ", ".join(f"{plan.id}@{plan.version}" for plan in plans),
            "file": hashlib.sha256(content).hexdigest(),
        }
        await self._chronicle.plans_changed(BcpAudit.LOAD_BCP_PLANS, str(self._path), "ok", **facts)
        self.plans, self.problems, self._digest, self._refused = plans, warnings, mark, b""
        _log.info("bcp plans loaded", plans=facts["plans"], warnings=len(warnings))
        return PlansLoaded(plans, warnings)

    async def _known(self) -> Sequence[Resource]:
        """The pools that exist; nothing when that cannot be asked just now (only warnings depend on it)."""
        try:
            return await self._surroundings.resources()
        except KakehashiError:
            return ()

    async def _changed(self, plans: Sequence[Plan]) -> tuple[Plan, ...]:
        try:
            return await self._store.changed_plans(self._tenant_id, plans)
        except StoreUnavailable:
            return ()

    async def _reject(self, problems: tuple[Problem, ...], mark: bytes) -> PlansRejected:
        """Tell of a fault once, not at every look."""
        self.problems = problems
        if mark != self._refused:
            self._refused = mark
            first = next((p for p in problems if p.severity is Severity.ERROR), problems[0])
            await self._chronicle.alarm(
                BcpAudit.REJECT_BCP_PLANS,
                str(self._path),
                first.text_en,
                place=first.path,
                rule=first.rule_id,
                problems=len(problems),
            )
        return PlansRejected(problems)


def _unreadable(path: Path, why: str) -> Problem:
    return Problem(
        Severity.ERROR, "(file)", f"計画のファイルを読めません: {path}（{why}）", f"{path}: cannot be read: {why}"
    )


def _reused(plan: Plan) -> Problem:
    return Problem(
        Severity.ERROR,
        "version",
        f"計画「{plan.id}」は第{plan.version}版として宣言されたことがあります。内容を変えたら版を上げてください。",
        f"The plan {plan.id!r} was declared as version {plan.version}: raise the version with every change.",
        plan.id,
    )
