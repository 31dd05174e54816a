"""Versions of plans as the API gives them. Pure. Counterpart: `gateway/handlers/bcp_plans.py`."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from common.ids import UserId
from gateway.permissions import Role
from gateway.schemas_bcp_plans import PlanPersonAnswer, PlanProblemAnswer, PlanStanding, PlanVersionAnswer
from policy.bcp.model import Signature
from policy.bcp.plan import Plan, content_of
from policy.bcp.plan_versions import PlanState, PlanVersion, in_force
from policy.problems import Problem


def name_of(plan: Plan) -> str:
    """How the API names a version."""
    return f"{plan.id}.{plan.version}"


def number_of(name: str) -> tuple[str, int] | None:
    """Plan and version of such a name; None for anything else."""
    plan_id, _, number = name.rpartition(".")
    return (plan_id, int(number)) if plan_id and number.isascii() and number.isdigit() and len(number) <= 4 else None


def problem(found: Problem) -> PlanProblemAnswer:
    """An error or warning of a text."""
    return PlanProblemAnswer(
        severity=found.severity,
        path=found.path,
        rule=found.rule_id,
        line=found.line,
        text_ja=found.text_ja,
        text_en=found.text_en,
    )


def content(plan: Plan) -> dict[str, Any]:
    """The plan's values as the file spells them."""
    return content_of(plan)


def versions(
    kept: Sequence[PlanVersion],
    written: Sequence[Plan],
    usable: Sequence[Plan],
    roles: Collection[Role],
    user_id: UserId,
) -> list[tuple[PlanVersionAnswer, Plan]]:
    """Every version with its plan: by plan, newest first. `usable` are the plans that may be declared now."""
    shown = [*_kept(kept, usable, roles, user_id), *_written(written, usable)]
    return sorted(shown, key=lambda pair: (pair[1].id, -pair[1].version))


def _kept(
    kept: Sequence[PlanVersion], usable: Sequence[Plan], roles: Collection[Role], user_id: UserId
) -> Iterator[tuple[PlanVersionAnswer, Plan]]:
    counting = in_force(kept)
    for version in kept:
        plan, newest = version.plan, counting.get(version.plan.id)
        match version.state:
            case PlanState.PROPOSED:
                standing = PlanStanding.PROPOSED
            case PlanState.REJECTED:
                standing = PlanStanding.REJECTED
            case PlanState.ADOPTED:
                standing = PlanStanding.EARLIER
                if version is newest:
                    standing = PlanStanding.IN_FORCE if plan in usable else PlanStanding.UNUSABLE
        may = _steps(version, newest.plan.version if newest else 0, roles, user_id)
        yield _answer(plan, standing, may, version), plan


def _written(written: Sequence[Plan], usable: Sequence[Plan]) -> Iterator[tuple[PlanVersionAnswer, Plan]]:
    for plan in written:
        yield _answer(plan, PlanStanding.IN_FORCE if plan in usable else PlanStanding.REPLACED, [], None), plan


def _steps(version: PlanVersion, newest: int, roles: Collection[Role], user_id: UserId) -> list[str]:
    """What this caller may do with it, for the page's buttons; the service decides again when it is done."""
    if version.state is not PlanState.PROPOSED or not {Role.COORDINATOR, Role.APPROVER} & set(roles):
        return []
    other = Role.APPROVER in roles and user_id != version.proposed.user_id
    return [*(["adopt"] if other and version.plan.version > newest else []), "reject"]


def _answer(plan: Plan, standing: PlanStanding, may: list[str], version: PlanVersion | None) -> PlanVersionAnswer:
    return PlanVersionAnswer(
        id=name_of(plan),
        plan_id=plan.id,
        version=plan.version,
        name_ja=plan.name.ja,
        name_en=plan.name.en,
        standing=standing,
        from_file=version is None,
        note=version.note if version else "",
        proposed=_person(version.proposed) if version else None,
        adopted=_person(version.adopted) if version and version.adopted else None,
        digest=plan.digest,
        may=may,
    )


def _person(signed: Signature) -> PlanPersonAnswer:
    return PlanPersonAnswer(username=signed.username, display_name=signed.person, at=signed.at)
