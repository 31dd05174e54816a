"""Versions of plans written in the console: proposed by one person, adopted by another. Pure: what may follow what.

Counterparts: `policy.bcp.plan_desk` takes the steps, `policy.bcp.adopted` believes only what is sealed and keeps these
rules. The highest adopted version of a plan counts and stands in for the file's plan of the same id; going back is a
new version with the content of an old one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter

from common.ids import TenantId
from policy.bcp.model import RefusalCode as Code
from policy.bcp.model import Role, Signature, Signer
from policy.bcp.plan import Plan, content_of, plan_from
from policy.bcp.refusals import refused
from policy.bcp.rules import require_few, require_fresh, same_person

NOTE_MAX: Final = 1_000


class PlanState(StrEnum):
    """Where a version stands."""

    PROPOSED = "proposed"
    ADOPTED = "adopted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of one plan. `note` says why it was written; `adopted` is the second person's signature."""

    tenant_id: TenantId
    plan: Plan
    state: PlanState
    note: str
    proposed: Signature
    adopted: Signature | None = None


def propose(
    plan: Plan,
    note: str,
    signer: Signer,
    tenant_id: TenantId,
    now: datetime,
    *,
    newest: int,
    others: Iterable[Signature],
) -> PlanVersion:
    """First signature. `newest` is the highest version of the plan that there is or ever was declared (0: none),
    `others` are the first signatures of all versions there are."""
    require_fresh(signer, now)
    require_few(signer, others, now)
    if not 1 <= len(note.strip()) <= NOTE_MAX:
        raise refused(Code.REASON_MISSING)
    if plan.version != newest + 1:  # a jump would use the numbers up, and a plan could never be mended again
        raise refused(Code.PLAN_VERSION_OLD, plan=plan.id, next=newest + 1)
    return PlanVersion(tenant_id, plan, PlanState.PROPOSED, note.strip(), _signed(signer, Role.PROPOSED, plan, now))


def adopt(found: PlanVersion, signer: Signer, now: datetime, *, in_force: int) -> PlanVersion:
    """Second signature, by another person who saw exactly this content: it counts from now."""
    _require_waiting(found)
    require_fresh(signer, now)
    if same_person(signer, found.proposed):
        raise refused(Code.SAME_PERSON)
    if signer.seen_digest != found.plan.digest:
        raise refused(Code.CONTENT_CHANGED)
    if found.plan.version <= in_force:
        raise refused(Code.PLAN_VERSION_OLD, plan=found.plan.id, next=in_force + 1)
    return replace(found, state=PlanState.ADOPTED, adopted=_signed(signer, Role.APPROVED, found.plan, now))


def reject(found: PlanVersion) -> PlanVersion:
    """One person turns it down, perhaps the one who wrote it."""
    _require_waiting(found)
    return replace(found, state=PlanState.REJECTED)


def fault(found: PlanVersion) -> str | None:
    """What is wrong with an adopted version that asks to be believed; None when it keeps every rule."""
    if found.adopted is None:
        return "nobody adopted it"
    if same_person(found.proposed, found.adopted):
        return "one person"
    if not found.proposed.digest == found.adopted.digest == found.plan.digest:
        return "another content was signed"
    return None


def in_force(versions: Iterable[PlanVersion]) -> Mapping[str, PlanVersion]:
    """The adopted version that counts, by plan."""
    found: dict[str, PlanVersion] = {}
    for version in versions:
        known = found.get(version.plan.id)
        if version.state is PlanState.ADOPTED and (known is None or version.plan.version > known.plan.version):
            found[version.plan.id] = version
    return found


def encode(found: PlanVersion) -> dict[str, Any]:
    """As JSON values, for the row and its seal."""
    return {
        "tenant_id": found.tenant_id,
        "plan": content_of(found.plan),
        "state": found.state,
        "note": found.note,
        "proposed": _SIGNATURE.dump_python(found.proposed, mode="json"),
        "adopted": _SIGNATURE.dump_python(found.adopted, mode="json") if found.adopted else None,
    }


def decode(content: Any) -> PlanVersion:
    """What `encode` wrote. Raises ValueError for anything else."""
    try:
        return PlanVersion(
            tenant_id=TenantId(content["tenant_id"]),
            plan=plan_from(content["plan"]),
            state=PlanState(content["state"]),
            note=str(content["note"]),
            proposed=_SIGNATURE.validate_python(content["proposed"]),
            adopted=_SIGNATURE.validate_python(content["adopted"]) if content["adopted"] else None,
        )
    except (KeyError, TypeError, ValueError) as error:  # pydantic's error is a ValueError, too
        raise ValueError(f"not a version of a plan: {type(error).__name__}") from None


_SIGNATURE: Final = TypeAdapter(Signature)


def _require_waiting(found: PlanVersion) -> None:
    if found.state is not PlanState.PROPOSED:
        raise refused(Code.PLAN_NOT_WAITING)


def _signed(signer: Signer, role: Role, plan: Plan, now: datetime) -> Signature:
    return Signature(
        user_id=signer.user_id,
        person=signer.display_name,
        username=signer.username,
        department=signer.department,
        role=role,
        at=now,
        totp_at=signer.totp_at,
        listed_rank=None,
        acting=False,
        digest=plan.digest,
        seen_diff=signer.seen_diff,
    )
