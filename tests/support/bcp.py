"""Plans, officials, people and whole BCP services for tests, on a real policy, key ring and database."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from common.audit import AuditSink
from common.bus import EventBus, LocalBus
from common.clock import Clock
from common.db import Database
from common.errors import StoreUnavailable
from common.ids import PoolId, TenantId, UserId
from common.secret import Keyring
from policy.bcp.canonical import digest
from policy.bcp.declaration import PlanRef
from policy.bcp.model import (
    WHOLE_TENANT,
    Cause,
    Declaration,
    Level,
    Official,
    Proposal,
    Refused,
    Scope,
    ScopeKind,
    Signer,
)
from policy.bcp.plan import Plan
from policy.bcp.plan_store import PlanStore
from policy.bcp.service import BcpService
from policy.bcp.settings import BcpSettings
from policy.bcp.store import BcpStore
from policy.model import Resource, Subject, Zone
from policy.service import PolicyService
from policy.settings import PolicySettings
from tests.support.audit import MemoryAudit
from tests.support.policy import policy, resource, subject

CITY: Final = TenantId("city")
TOWN: Final = TenantId("town")
EAST: Final = Scope(ScopeKind.SITE, frozenset({"east"}))
OFFICIALS: Final = (
    Official("mayor", 1, "市長", "Mayor"),
    Official("deputy", 2, "副市長", "Deputy mayor"),
    Official("risk", 3, "危機管理監", "Crisis manager"),
    Official("branch", 4, "東支所長", "Head of the east branch", (EAST,)),
)
RULES: Final[list[dict[str, Any]]] = [
    {
        "id": "N-01",
        "when": {
            "groups": ["telework"],
            "pools": ["office"],
            "hours": {"windows": ["08:00-18:00"], "days": "workdays"},
        },
    },
    {"id": "N-02", "when": {"groups": ["it-staff"]}},
]
NETWORKS: Final = {"east": {"name": {"ja": "東支所", "en": "East branch"}, "cidrs": ["10.1.0.0/16"]}}
_TEXT: Final = {"ja": "試験", "en": "Test"}


def widening(widening_id: str = "W1", **over: Any) -> dict[str, Any]:
    """A line of a plan: the group "shelter", from anywhere, to the pool "office"."""
    line: dict[str, Any] = {
        "id": widening_id,
        "name": _TEXT,
        "who": {"groups": ["shelter"]},
        "approval": _TEXT,
        "places": {"anywhere": True},
        "targets": {"pools": ["office"]},
    }
    return line | over


def plan_dict(**over: Any) -> dict[str, Any]:
    """A plan as YAML gives it: level 1 lets the group "shelter" in, level 2 also fiscal-year staff and longer; a drill
    on the pool "drill"."""
    whole: dict[str, Any] = {
        "id": "quake",
        "version": 1,
        "name": _TEXT,
        "contact": _TEXT,
        "texts": {"allowed": _TEXT, "forbidden": _TEXT},
        "first": [widening("W1", targets={"pools": ["office", "drill"]}, terms={"total_limit": "10h"})],
        "second": [widening("W2", who={"employment": ["fiscal-year"]}, targets={"pools": ["office", "drill"]})],
        "drill": {"pools": ["drill"], "first": ["W1"], "second": ["W2"]},
    }
    return whole | over


def plan(**over: Any) -> Plan:
    """The same as a value."""
    return Plan.model_validate(plan_dict(**over))


def plan_ref(found: Plan | None = None) -> PlanRef:
    """What a draft is bound to."""
    found = found or plan()
    return PlanRef(found.id, found.version, found.digest)


def plan_file(*plans: dict[str, Any]) -> str:
    """A whole file (JSON is YAML, and has no aliases)."""
    return json.dumps({"format": 1, "plans": list(plans) or [plan_dict()]}, ensure_ascii=False)


def signer(username: str, now: datetime, **over: Any) -> Signer:
    """A person whose one-time code was checked a minute ago."""
    made = Signer(
        user_id=UserId(f"usr_{username}"),
        username=username,
        display_name=username.title(),
        department="総務課",
        totp_at=now - timedelta(minutes=1),
    )
    return replace(made, **over)


def approver(username: str, declaration: Declaration, now: datetime, **over: Any) -> Signer:
    """The same, having seen exactly this declaration, and acting for whoever ranks higher."""
    return signer(username, now, **({"seen_digest": digest(declaration), "absent": True} | over))


def proposal(**over: Any) -> Proposal:
    """Level 1 for the whole city after an earthquake."""
    made = Proposal(scope=WHOLE_TENANT, level=Level.FIRST, plan_id="quake", cause=Cause.EARTHQUAKE, reason="震度6弱")
    return replace(made, **over)


def people(tenant: TenantId = CITY) -> list[Subject]:
    """Staff of every kind that the plan and the base policy tell apart."""
    kinds: list[dict[str, Any]] = [
        {"groups": frozenset({"telework"})},
        {"groups": frozenset({"shelter"}), "site": "east"},
        {"groups": frozenset({"shelter", "telework"}), "department": "税務課"},
        {"groups": frozenset(), "employment": "fiscal-year", "duties": frozenset({"water"})},
        {"groups": frozenset(), "employment": None, "department": None},
        {"groups": frozenset({"it-staff"})},
        {"groups": frozenset({"shelter"}), "suspended": True},
        {"groups": frozenset({"shelter"}), "suspended": None},
    ]
    return [
        subject(tenant_id=tenant, user_id=UserId(f"usr_{tenant}_{i}"), username=f"staff{i}", **kind)
        for i, kind in enumerate(kinds)
    ]


def pools(tenant: TenantId = CITY) -> list[Resource]:
    """An office pool, one of the east branch, one for drills, and two that no plan can open."""
    named: list[tuple[str, Zone | None, str | None]] = [
        ("office", Zone.LGWAN, None),
        ("east-office", Zone.LGWAN, "east"),
        ("drill", Zone.LGWAN, None),
        ("net", Zone.INTERNET, None),
        ("number", Zone.MY_NUMBER, None),
        ("nowhere", None, None),
    ]
    return [resource(tenant_id=tenant, pool_id=PoolId(name), zone=zone, site=site) for name, zone, site in named]


class Town:
    """Surroundings that are there, or not."""

    def __init__(self, tenant: TenantId = CITY) -> None:
        self.tenant = tenant
        self.away = False

    async def people(self) -> Sequence[Subject]:
        """See `Surroundings.people`."""
        if self.away:
            raise StoreUnavailable("switched off by the test")
        return people(self.tenant)

    async def resources(self) -> Sequence[Resource]:
        """See `Surroundings.resources`."""
        if self.away:
            raise StoreUnavailable("switched off by the test")
        return pools(self.tenant)


@dataclass
class Node:
    """One gateway's worth of BCP."""

    bcp: BcpService
    policy: PolicyService
    audit: MemoryAudit
    town: Town
    folder: Path
    plans: Path


class LostDatabase(Database):
    """A real database that can be made to be away."""

    away = False

    @asynccontextmanager
    async def _trying(self, seconds: float | None) -> AsyncIterator[None]:
        if self.away:
            raise StoreUnavailable("switched off by the test")
        async with super()._trying(seconds):
            yield


def _files(folder: Path) -> tuple[Path, Path]:
    """The policy and the plans of a node; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    rules, plans = folder / "policy.yaml", folder / "plans.yaml"
    if not rules.exists():
        rules.write_text(json.dumps(policy(RULES, networks=NETWORKS), ensure_ascii=False))
    if not plans.exists():
        plans.write_text(plan_file())
    return rules, plans


@asynccontextmanager
async def node(
    folder: Path,
    database: Database,
    clock: Clock,
    *,
    keyring: Keyring,
    tenant: TenantId = CITY,
    town: Town | None = None,
    bus: EventBus | None = None,
    officials: Sequence[Official] = OFFICIALS,
    poll_seconds: float = 300,
    start: bool = True,
    sink: AuditSink | None = None,
) -> AsyncIterator[Node]:
    """A started node. Its folder keeps policy, plans and bundle, so that a second one on it is a restart."""
    rules, plans = _files(folder)
    audit, town = MemoryAudit(), town or Town(tenant)
    service = PolicyService(PolicySettings(path=rules, poll_seconds=60), tenant_id=tenant, clock=clock, audit=audit)
    await service.start()
    local = LocalBus()
    bcp = BcpService(
        BcpSettings.model_validate(
            {
                "plans_file": plans,
                "bundle_file": folder / "bundle.json",
                "poll_seconds": poll_seconds,
                "officials": [
                    {
                        "username": official.username,
                        "rank": official.rank,
                        "title_ja": official.title_ja,
                        "title_en": official.title_en,
                        "scopes": [
                            {"kind": scope.kind, "ids": sorted(scope.ids)}
                            for scope in official.scopes
                            if scope != WHOLE_TENANT
                        ],
                    }
                    for official in officials
                ],
            }
        ),
        tenant_id=tenant,
        store=BcpStore(database),
        plan_store=PlanStore(database),
        keyring=keyring,
        policy=service,
        surroundings=town,
        clock=clock,
        audit=sink or audit,
        bus=bus or local,
    )
    if start:
        await bcp.start()
    try:
        yield Node(bcp, service, audit, town, folder, plans)
    finally:
        await bcp.close()
        await service.close()
        await local.close()


async def declare(node: Node, clock: Clock, **over: Any) -> Declaration:
    """Propose by "chief" (not listed), approve by the deputy acting for the mayor."""
    made = await node.bcp.declare(proposal(**over), signer("chief", clock.now()))
    return await node.bcp.approve(made.id, approver("deputy", made, clock.now()))


def code_of(error: Refused) -> str:
    """The stable name of a refusal."""
    return str(error.refusal.code)
