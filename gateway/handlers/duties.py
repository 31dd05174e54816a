"""Duties: the caller's own with where they may be done now; for IT the register's preview, import and export."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from aiohttp import web

from broker.duties import texts
from broker.duties.book import Held
from broker.duties.findings import Finding
from broker.duties.models import Kind, Telework
from broker.duties.planning import Op, Plan
from broker.duties.records import SourceFile
from broker.models import Pool
from gateway import rendering
from gateway.bodies import answer, body
from gateway.caller import signed_in
from gateway.schemas_duties import (
    ApplyBody,
    ChangeAnswer,
    DutiesAnswer,
    DutyAnswer,
    DutyPlaceAnswer,
    DutyStatus,
    ExportAnswer,
    FieldChangeAnswer,
    FindingAnswer,
    PlanAnswer,
    PreviewBody,
    RegisterAnswer,
    RegisterDutyAnswer,
    RegisterImportAnswer,
)
from gateway.services import CALLER, SOURCE, services
from policy.model import Decision

_STATUS: Final[Mapping[DutyStatus, tuple[str, str]]] = {
    DutyStatus.NOW: ("いま、この端末から行えます。", "You can do this from here now."),
    DutyStatus.CONDITIONAL: ("条件を満たせば、いま行えます。", "You can do this now if its condition holds."),
    DutyStatus.LATER: ("いまは行えません。時間になると使えます。", "Not now: it opens at the time shown."),
    DutyStatus.CLOSED: ("いまは行えません。", "You cannot do this from here now."),
    DutyStatus.NO_PLACE: ("テレワークで使う場所が決まっていません。", "Where to do this by telework is not settled."),
    DutyStatus.NEVER: ("テレワークでは行えません。職場で行ってください。", "Not by telework: do this at the office."),
}


async def list_own(request: web.Request) -> web.Response:
    """GET /api/v1/duties"""
    web_session, _ = signed_in(request)
    own = services(request)
    held = own.duties.book.held_by(web_session.identity.username)
    if not held:
        return answer(DutiesAnswer(items=[]))
    pool_of = {str(target.id): target.pool_id for target in await own.catalogue.targets(web_session.identity.tenant_id)}
    who = web_session.identity
    others = await own.sessions.list_for_user(who.tenant_id, who.user_id)
    decided = {
        str(judgement.pool.id): (judgement.pool, judgement.decision)
        for judgement in await own.judge.decide_all(web_session, request[SOURCE], others)
    }
    items = []
    for one in held:
        wanted = [*one.duty.pools, *(str(pool_of[name]) for name in one.duty.desktops if name in pool_of)]
        items.append(_duty(one, [decided[name] for name in dict.fromkeys(wanted) if name in decided]))
    return answer(DutiesAnswer(items=items))


def _duty(held: Held, places: Sequence[tuple[Pool, Decision]]) -> DutyAnswer:
    duty = held.duty
    zone, telework = texts.ZONE[duty.zone], texts.TELEWORK[duty.telework]
    resume, part = texts.RESUME[duty.resume_within], texts.PART[held.part]
    status, available_from = _status(duty.telework, places)
    return DutyAnswer(
        id=duty.id,
        name_ja=duty.name_ja,
        name_en=duty.name_en,
        department_ja=held.department.name_ja if held.department else duty.department,
        department_en=held.department.name_en if held.department else duty.department,
        zone=duty.zone,
        zone_ja=zone.ja,
        zone_en=zone.en,
        telework=duty.telework,
        telework_ja=telework.ja,
        telework_en=telework.en,
        condition=duty.condition,
        priority=duty.priority,
        resume_within=duty.resume_within,
        resume_ja=resume.ja,
        resume_en=resume.en,
        part=held.part,
        part_ja=part.ja,
        part_en=part.en,
        status=status,
        status_ja=_STATUS[status][0],
        status_en=_STATUS[status][1],
        available_from=available_from,
        places=[_place(pool, decision) for pool, decision in places],
    )


def _place(pool: Pool, decision: Decision) -> DutyPlaceAnswer:
    why = None if decision.allowed else rendering.reason(decision.reason)
    return DutyPlaceAnswer(
        pool_id=pool.id, name_ja=pool.name_ja, name_en=pool.name_en, allowed=decision.allowed, reason=why
    )


def _status(telework: Telework, places: Sequence[tuple[Pool, Decision]]) -> tuple[DutyStatus, datetime | None]:
    if telework is Telework.NEVER:
        return DutyStatus.NEVER, None
    if not places:
        return DutyStatus.NO_PLACE, None
    if any(decision.allowed for _, decision in places):
        return (DutyStatus.CONDITIONAL if telework is Telework.CONDITIONAL else DutyStatus.NOW), None
    times = [decision.reason.available_from for _, decision in places if decision.reason.available_from]
    return (DutyStatus.LATER, min(times)) if times else (DutyStatus.CLOSED, None)


async def show_register(request: web.Request) -> web.Response:
    """GET /api/v1/admin/duties"""
    duties = services(request).duties
    register = duties.book.register
    return answer(
        RegisterAnswer(
            version=register.version,
            counts={kind: len(register.of(kind)) for kind in Kind},
            duties=[
                RegisterDutyAnswer.model_validate(
                    {key: value for key, value in asdict(duty).items() if key != "condition"}
                )
                for duty in sorted(register.duties.values(), key=lambda duty: (duty.priority, duty.id))
            ],
            findings=_findings(await duties.findings()),
            imports=[RegisterImportAnswer.model_validate(asdict(made)) for made in await duties.history()],
        )
    )


async def preview_import(request: web.Request) -> web.Response:
    """POST /api/v1/admin/duties/preview"""
    wanted = await body(request, PreviewBody)
    plan = await services(request).duties.preview(_files(wanted))
    return answer(_plan(plan, applied=False))


async def apply_import(request: web.Request) -> web.Response:
    """POST /api/v1/admin/duties/apply"""
    wanted = await body(request, ApplyBody)
    plan = await services(request).duties.apply(
        _files(wanted), wanted.digest, actor=request[CALLER].name, source=request[SOURCE] or None
    )
    return answer(_plan(plan, applied=not plan.faults))


async def export_register(request: web.Request) -> web.Response:
    """GET /api/v1/admin/duties/export/{id}"""
    name = request.match_info["id"]
    duties = services(request).duties
    content = await duties.export(name, actor=request[CALLER].name, source=request[SOURCE] or None)
    return answer(ExportAnswer(name=name, content=content))


def _files(wanted: PreviewBody) -> list[SourceFile]:
    return [SourceFile(file.name, file.content) for file in wanted.files]


def _findings(found: Sequence[Finding]) -> list[FindingAnswer]:
    return [FindingAnswer.model_validate(asdict(finding)) for finding in found]


def _plan(plan: Plan, *, applied: bool) -> PlanAnswer:
    return PlanAnswer(
        applied=applied,
        digest=plan.digest,
        added=sum(change.op is Op.ADDED for change in plan.changes),
        changed=sum(change.op is Op.CHANGED for change in plan.changes),
        removed=sum(change.op is Op.REMOVED for change in plan.changes),
        changes=[
            ChangeAnswer(
                kind=change.kind,
                entry_id=change.entry_id,
                name=change.name,
                op=change.op,
                fields=[FieldChangeAnswer.model_validate(asdict(field)) for field in change.fields],
            )
            for change in plan.changes
        ],
        faults=_findings(plan.faults),
        orphans=_findings(plan.orphans),
    )
