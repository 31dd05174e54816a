"""The table of rights before and during a declaration, from the plan's own words. Pure.

Counterpart: `gateway.reports.gather`. It repeats the plan and does not judge: who used what is counted elsewhere.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from common.era import length_ja
from gateway.reports.model import Right
from policy.bcp.model import Level
from policy.bcp.plan import Places, Plan, Targets, Who, Widening
from policy.schema import Hours

_BEFORE: Final = "通常の規則のとおり（この項目による許可はない）"
_DEVICES: Final = {"managed": "貸与端末", "thin": "シンクライアント", "byod": "個人端末", "tablet": "タブレット"}


def rights(plan: Plan, level: Level, names: Mapping[str, str], *, drill: bool) -> tuple[Right, ...]:
    """One line for each widening that held at the level; a drill has its own, smaller list.

    `names` are those of duties and pools by id.
    """
    found: list[Right] = []
    for at, listed in ((Level.FIRST, plan.first), (Level.SECOND, plan.second)):
        for widening in listed:
            holds = _drilled(plan, widening, level) if drill else widening in plan.widenings(level)
            if holds:
                found.append(
                    Right(
                        widening.name.ja,
                        at,
                        _who(widening.who, names),
                        _BEFORE,
                        _during(plan, widening, names, drill=drill),
                    )
                )
    return tuple(found)


def _drilled(plan: Plan, widening: Widening, level: Level) -> bool:
    if plan.drill is None or level.widens is None:
        return False
    second = widening.id in plan.drill.second and level is Level.SECOND
    return second or widening.id in plan.drill.first


def _who(who: Who, names: Mapping[str, str]) -> str:
    parts = [
        _named("業務", who.duties, names),
        _named("条件付の業務", who.conditional_duties, names),
        _named("所属", who.departments, {}),
        _named("任用", who.employment, {}),
        _named("グループ", who.groups, {}),
        "応援職員を含む" if who.substitutes else "",
    ]
    return "\n".join(part for part in parts if part)


def _named(label: str, ids: tuple[str, ...] | None, names: Mapping[str, str]) -> str:
    return f"{label}：{_listed(ids, names)}" if ids else ""


def _listed(ids: Iterable[str], names: Mapping[str, str]) -> str:
    return "、".join(names.get(one, one) for one in ids)


def _during(plan: Plan, widening: Widening, names: Mapping[str, str], *, drill: bool) -> str:
    devices = widening.devices
    kinds = "、".join(_DEVICES.get(str(kind), str(kind)) for kind in devices.kinds) if devices and devices.kinds else ""
    registered = "（登録済みに限る）" if devices and devices.registered else ""
    total = widening.terms.total_limit
    parts = [
        f"場所：{_places(widening.places)}",
        f"端末：{kinds or '制限なし'}{registered}",
        f"時間：{_hours(widening.hours)}",
        f"接続先：{_drill_targets(plan, names) if drill else _targets(widening.targets, names)}",
        f"承認：{widening.approval.ja}",
        f"日数：{f'週{widening.days_a_week}日まで' if widening.days_a_week else '週の日数の上限なし'}",
        f"1回の上限：{length_ja(total)}" if total else "",
    ]
    return "\n".join(part for part in parts if part)


def _drill_targets(plan: Plan, names: Mapping[str, str]) -> str:
    return _listed(plan.drill.pools, names) + "（訓練用）" if plan.drill else ""


def _places(places: Places) -> str:
    return "、".join(places.names) if places.names else "どこからでも"


def _targets(targets: Targets, names: Mapping[str, str]) -> str:
    return _listed((*(targets.pools or ()), *(targets.classes or ())), names)


def _hours(hours: Hours | None) -> str:
    return "、".join(str(window) for window in hours.windows) if hours else "24時間"
