"""Triage as the API shows it: to the owner of a session, and to coordinators. Pure."""

from datetime import datetime

from broker.duties.models import Priority, Register
from broker.triage.views import Load, PoolLoad, Standing
from gateway.schemas import QueueAnswer, WarningAnswer
from gateway.schemas_capacity import (
    ClassLoadAnswer,
    LeavingAnswer,
    LineAnswer,
    LiveCapacityAnswer,
    PoolCapacityAnswer,
    ReasonCountAnswer,
)

_REASON_JA = "災害などの緊急の業務で席が必要になりました。作業中の画面は残ります。時刻までに保存してください。"
_REASON_EN = "Your seat is needed for urgent work. Your desktop stays as it is. Save your work before the time given."


def queue(standing: Standing) -> QueueAnswer | None:
    """The place in the queue."""
    place = standing.place
    if place is None:
        return None
    return QueueAnswer(
        place=place.place,
        ahead=place.ahead,
        estimate_seconds=place.estimate_seconds,
        reason=place.reason,
        priority=place.priority,
    )


def warning(standing: Standing) -> WarningAnswer | None:
    """The announced end of a seat."""
    notice = standing.warning
    if notice is None:
        return None
    contact = notice.contact
    return WarningAnswer(
        kind="preemption",
        at=notice.at,
        reason_ja=_REASON_JA,
        reason_en=_REASON_EN,
        phone_ja=contact.ja if contact else None,
        phone_en=contact.en if contact else None,
    )


def capacity(load: Load, register: Register, now: datetime, starts_per_minute: int) -> LiveCapacityAnswer:
    """Everything that can run out."""
    return LiveCapacityAnswer(
        now=now,
        pools=[_pool(one) for one in load.pools],
        lines=[
            LineAnswer(
                site=line.site,
                name_ja=register.sites[line.site].name_ja if line.site in register.sites else line.site,
                name_en=register.sites[line.site].name_en if line.site in register.sites else line.site,
                planned_mbps=line.planned_mbps,
                budget_mbps=line.budget_mbps,
            )
            for line in load.lines
        ],
        start_gate=load.gate_applies,
        starts_per_minute=starts_per_minute,
    )


def _pool(load: PoolLoad) -> PoolCapacityAnswer:
    return PoolCapacityAnswer(
        pool_id=load.pool.id,
        name_ja=load.pool.name_ja,
        name_en=load.pool.name_en,
        seats=load.seats,
        normal_seats=load.pool.max_desktops,
        used=sum(load.used.values()),
        waiting=sum(load.waiting.values()),
        declared=load.declared,
        reserved_p0=load.reserve.p0,
        reserved_urgent=load.reserve.urgent,
        classes=[
            ClassLoadAnswer(priority=priority, used=load.used.get(priority, 0), waiting=load.waiting.get(priority, 0))
            for priority in Priority
        ],
        reasons=[ReasonCountAnswer(reason=reason, waiting=count) for reason, count in load.reasons.items()],
        longest_wait_seconds=load.longest_wait_seconds,
        parked=load.parked,
        parking=load.parking,
        leaving=[
            LeavingAnswer(
                session_id=one.session.id,
                short_code=one.session.short_code,
                person=one.session.display_name,
                priority=one.session.priority,
                at=one.at,
                asked_at=one.session.asked_to_leave_at,
            )
            for one in load.leaving
        ],
    )
