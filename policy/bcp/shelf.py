"""The plans that may be declared now: those of the file, and in their place what two persons adopted in the console.

Counterparts: `policy.bcp.proof` (what makes a plan acceptable), `policy.bcp.adopted` (versions that are believed),
`policy.bcp.service`. Follows changes of both; a faulty file leaves the plans before it, at start none, and the rest of
the gateway at work. A plan that was declared once cannot be changed under the same version.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.audit import Detail
from common.clock import Clock
from common.errors import AuditUnavailable, KakehashiError, SecretUnreadable, StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from policy.bcp import proof
from policy.bcp.adopted import AdoptedPlans
from policy.bcp.audit_names import BcpAudit
from policy.bcp.chronicle import Chronicle
from policy.bcp.plan import Plan, PlanFile
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
        adopted: AdoptedPlans,
    ) -> None:
        self._adopted: Final = adopted
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
        self._file_problems: tuple[Problem, ...] = ()
        self._standing_in: Mapping[str, Plan | None] = {}
        self._standing_mark: tuple[str, ...] | None = None
        self._standing_problems: tuple[Problem, ...] = ()
        self.written: tuple[Plan, ...] = ()
        """The plans of the file."""
        self.plans: tuple[Plan, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of the file looked at last: why it was refused, or its warnings; and why an adopted plan cannot be used."""
        return self._file_problems + self._standing_problems

    def get(self, plan_id: str) -> Plan | None:
        """The plan as it may be declared now."""
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def written_version(self, plan_id: str) -> int:
        """The version of a plan in the file; 0 when it has none."""
        return next((plan.version for plan in self.written if plan.id == plan_id), 0)

    async def reload(self) -> PlansOutcome:
        """Look at file and adopted versions now. Never raises: whatever is wrong, the plans before stay."""
        async with self._lock:
            outcome = await self._reload_file(self._path) if self._path else PlansUnchanged()
            await self._reload_adopted()
            others = [plan for plan in self.written if plan.id not in self._standing_in]
            standing_in = [plan for plan in self._standing_in.values() if plan is not None]
            self.plans = (*others, *standing_in)
            return outcome

    async def _reload_file(self, path: Path) -> PlansOutcome:
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            return await self._reject((_unreadable(path, error.strerror or "error"),), b"unreadable")
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

    async def _reload_adopted(self) -> None:
        """One that the policy of today no longer bears is not declared, nor is the file's plan in its place."""
        try:
            found = await self._adopted.in_force()
        except (StoreUnavailable, SecretUnreadable):
            return  # what was known goes on; nothing new can be declared without the database anyway
        plans = {plan_id: version.plan if version else None for plan_id, version in found.items()}
        digests = sorted(plan.digest if plan else plan_id for plan_id, plan in plans.items())
        mark = (self._policy.current.version, *digests)
        if mark == self._standing_mark:
            return
        proofs = {plan.id: await self._proof_of(plan) for plan in plans.values() if plan}
        faulty = {plan_id for plan_id, found in proofs.items() if any(p.severity is Severity.ERROR for p in found)}
        self._standing_in = {plan_id: None if plan_id in faulty else plan for plan_id, plan in plans.items()}
        self._standing_problems = tuple(problem for found in proofs.values() for problem in found)
        self._standing_mark = mark
        _log.info("bcp plans adopted in the console", plans=sorted(plans), faulty=sorted(faulty))

    async def _proof_of(self, plan: Plan) -> tuple[Problem, ...]:
        today = self._clock.now().astimezone(JST).date()
        file, base = PlanFile(format=1, plans=(plan,)), self._policy.current.document
        return await asyncio.to_thread(proof.prove, file, {}, base, today=today, known=await self._known())

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
        self.written, self._file_problems, self._digest, self._refused = plans, warnings, mark, b""
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
        self._file_problems = problems
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
