"""BCP計画 as versioned YAML, and the ordinary policy rules that it compiles to. Pure.

Counterparts: `policy.bcp.proof` (why such a plan can only widen inside the guardrails), `policy.engine` (decides with
the rules; there is no second engine). A plan holds no forbid and no obligation: it has no words for them.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictStr, model_validator

from policy.bcp.canonical import spelled
from policy.bcp.model import SUBSTITUTE, Level, overlay_plan
from policy.calendar import Window
from policy.loading import Lines, Loc, parse_as
from policy.model import DeviceKind, Zone
from policy.problems import fault
from policy.schema import (
    Bcp,
    Bilingual,
    DaysAWeek,
    Duration,
    Effect,
    Hours,
    Layer,
    Names,
    Rule,
    Section,
    Terms,
    When,
    duration_text,
)

PREFIX: Final = "BCP-"
DEFAULT_GRACE: Final = timedelta(minutes=30)
_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_WIDENING_ID: Final = re.compile(r"[A-Za-z0-9]{1,8}")


def substitute_of(duty: str) -> str:
    """The name under which the substitutes (応援職員) of a duty carry it in `Subject.duties`."""
    return f"{duty}{SUBSTITUTE}"


def _plan_id(text: str) -> str:
    if len(text) <= 14 and _ID.fullmatch(text):
        return text
    raise fault(
        "計画のidは英小文字で始まる英小文字・数字・ハイフン14文字以内です。",
        'The id of a plan is up to 14 small letters, digits and hyphens, for example "quake".',
    )


def _widening_id(text: str) -> str:
    if _WIDENING_ID.fullmatch(text):
        return text
    raise fault("拡大項目のidは英数字8文字以内です。", 'The id of a widening is up to 8 letters and digits, as "W1".')


def _grace(length: timedelta) -> timedelta:
    if timedelta() <= length <= timedelta(hours=2):
        return length
    raise fault("猶予は2時間までです。", "The grace is at most 2 hours.")


PlanId = Annotated[StrictStr, AfterValidator(_plan_id)]
WideningId = Annotated[StrictStr, AfterValidator(_widening_id)]
Seats = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]


class Who(Section):
    """Whose rights grow. Each line given must hold; a list means "one of these". `conditional_duties` (条件付) are
    duties that telework is allowed for only while this plan is declared; `substitutes` takes in those of the duties."""

    groups: Names | None = None
    departments: Names | None = None
    employment: Names | None = None
    duties: Names | None = None
    conditional_duties: Names | None = None
    substitutes: StrictBool = False

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not any((self.groups, self.departments, self.employment, self.duties, self.conditional_duties)):
            raise fault("だれの権限を広げるかを書いてください。", "Say whose rights grow.")
        if self.substitutes and not (self.duties or self.conditional_duties):
            raise fault("応援職員は業務とともに書いてください。", "Substitutes need a duty that they stand in for.")
        return self

    @property
    def duty_names(self) -> tuple[str, ...] | None:
        """All names of duties that count, those of substitutes included."""
        named = (*(self.duties or ()), *(self.conditional_duties or ()))
        substitutes = tuple(substitute_of(duty) for duty in named) if self.substitutes else ()
        return tuple(dict.fromkeys((*named, *substitutes))) or None


class Places(Section):
    """From where: `anywhere`, or networks of the policy file. A site stands for the network of the same name."""

    anywhere: Literal[True] | None = None
    networks: Names | None = None
    sites: Names | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.anywhere) is bool(self.networks or self.sites):
            raise fault(
                "どこからでも（anywhere: true）か、決まった場所（networks、sites）を書いてください。",
                "Give anywhere (anywhere: true), or certain places (networks, sites).",
            )
        return self

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of networks; None for anywhere."""
        return tuple(dict.fromkeys((*(self.networks or ()), *(self.sites or ())))) or None


class Devices(Section):
    """With what: kinds of device, and whether it must be registered."""

    kinds: Annotated[tuple[DeviceKind, ...], Field(min_length=1)] | None = None
    registered: StrictBool | None = None


class Targets(Section):
    """To where: pools by id or by class, perhaps at some sites or in some zones only."""

    pools: Names | None = None
    classes: Names | None = None
    sites: Names | None = None
    zones: Annotated[tuple[Zone, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not (self.pools or self.classes):
            raise fault(
                "プール（pools）かプール種別（classes）を書いてください。",
                "Give pools (pools) or pool classes (classes).",
            )
        return self


class Widening(Section):
    """One line of the plan: who, with whose approval, how often, from where, with what, when, to where, on which
    terms."""

    id: WideningId
    name: Bilingual
    who: Who
    approval: Bilingual
    days_a_week: DaysAWeek | None = None
    """On how many days of a week; None: on all of them."""
    places: Places
    devices: Devices | None = None
    hours: Hours | None = None
    targets: Targets
    terms: Terms = Terms()


class Capacity(Section):
    """Seats of a pool while the plan is declared, and how many percent of them are kept for P0 and P1."""

    pool: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    level: Literal["first", "second"] = "first"
    seats: Seats
    reserved_percent: Percent = 30


class Drill(Section):
    """What a drill uses: some of the plan's widenings, on the pools named here and nowhere else."""

    pools: Names
    first: tuple[WideningId, ...] = ()
    second: tuple[WideningId, ...] = ()


class Texts(Section):
    """What employees read: what they may do now and what stays forbidden."""

    allowed: Bilingual
    forbidden: Bilingual


class Plan(Section):
    """One BCP計画. A change needs a higher `version`: what was declared keeps the version that was signed."""

    id: PlanId
    version: Annotated[int, Field(strict=True, ge=1, le=9_999)]
    name: Bilingual
    grace: Annotated[Duration, AfterValidator(_grace)] = DEFAULT_GRACE
    contact: Bilingual
    texts: Texts
    first: Annotated[tuple[Widening, ...], Field(min_length=1, max_length=50)]
    second: Annotated[tuple[Widening, ...], Field(max_length=50)] = ()
    capacity: tuple[Capacity, ...] = ()
    drill: Drill | None = None

    @property
    def digest(self) -> str:
        """64 hex digits over all of it."""
        return hashlib.sha256(spelled(content_of(self))).hexdigest()

    def widenings(self, level: Level) -> tuple[Widening, ...]:
        """All that holds at the level: the second level has everything of the first."""
        match level:
            case Level.FIRST:
                return self.first
            case Level.SECOND:
                return (*self.first, *self.second)
            case Level.ALERT | Level.RECOVERY:
                return ()

    def can_drill(self, level: Level) -> bool:
        """Whether a drill at the level would widen anything."""
        if self.drill is None:
            return False
        return bool(self.drill.first) or (level is Level.SECOND and bool(self.drill.second))


class PlanFile(Section):
    """The file of all plans. `format` is 1."""

    format: Literal[1]
    plans: Annotated[tuple[Plan, ...], Field(max_length=50)]


def parse(content: bytes | str) -> tuple[PlanFile, Lines]:
    """The plans and the line of every key. Raises PolicyInvalid with all faults found, each with plan and widening."""
    return parse_as(PlanFile, content, _place_name)


def content_of(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values that spell it as the file would; `plan_from` reads it again."""
    content: dict[str, Any] = _plain(plan)
    return content


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            pairs = ((field.alias or name, getattr(value, name)) for name, field in type(value).model_fields.items())
            return {name: _plain(part) for name, part in pairs if part is not None}
        case tuple():
            return [_plain(part) for part in value]
        case timedelta():
            return duration_text(value)
        case Window():
            return str(value)
        case Enum():
            return value.value
        case _:
            return value


def plan_from(content: Any) -> Plan:
    """The plan that `content_of` wrote. Raises ValueError (pydantic's)."""
    return Plan.model_validate(content)


def compiled(plan: Plan, *, drill: bool = False) -> tuple[Rule, ...]:
    """The plan's rules of the `bcp` layer. A drill's are the real ones, narrowed to its pools and named apart."""
    return tuple(rule for rule, _place in placed_rules(plan, drill=drill))


def placed_rules(plan: Plan, *, drill: bool) -> Iterator[tuple[Rule, Loc]]:
    """Each rule with the place of its widening in the plan."""
    for level, listed in (("first", plan.first), ("second", plan.second)):
        for index, widening in enumerate(listed):
            at_level = _drill_level(plan.drill, widening.id, level) if drill else level
            if at_level:
                yield _rule(plan, widening, level, at_level, drill=drill), (level, index)


def _drill_level(drill: Drill | None, widening_id: str, level: str) -> str | None:
    """At which level of a drill a widening holds: never at a lower one than in earnest."""
    if drill is None:
        return None
    if level == "first" and widening_id in drill.first:
        return "first"
    return "second" if widening_id in drill.second else None


def _rule(plan: Plan, widening: Widening, level: str, at_level: str, *, drill: bool) -> Rule:
    mark = {"first": "1", "second": "2"}[level]
    targets, devices = widening.targets, widening.devices or Devices()
    return Rule(
        id=f"{PREFIX}{plan.id}-{plan.version}-{'D' if drill else 'L'}{mark}-{widening.id}",
        layer=Layer.BCP,
        effect=Effect.PERMIT,
        name=widening.name,
        when=When(
            bcp=Bcp.model_validate({"plan": overlay_plan(plan.id, plan.version, drill=drill), "level": at_level}),
            groups=widening.who.groups,
            departments=widening.who.departments,
            employment=widening.who.employment,
            duties=widening.who.duty_names,
            networks=widening.places.names,
            device_kinds=devices.kinds,
            device_registered=devices.registered,
            hours=widening.hours,
            days_a_week=widening.days_a_week,
            pools=targets.pools,
            pool_classes=targets.classes,
            sites=targets.sites,
            zones=targets.zones,
            all_of=(When(pools=plan.drill.pools),) if drill and plan.drill else None,
        ),
        terms=widening.terms,
    )


def _place_name(loc: Loc, tree: Any) -> str | None:
    """ "quake/W1" for a place inside a widening, "quake" inside a plan."""
    names: list[str] = []
    node = tree
    for part in loc:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(part, int) and isinstance(node, dict):
            found = node.get("id")
            names.append(found if isinstance(found, str) else f"#{part + 1}")
    return "/".join(names) or None
