"""The policy file as typed, frozen values: networks, calendar, rules, conditions, terms. Pure.

Counterpart: `policy.loading` builds a `PolicyDocument` from YAML, `policy.conditions` compiles it. Each model
refuses unknown keys, so a misspelt guard can never silently vanish. Must not compare rules with each other:
`policy.checks`.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    model_validator,
)

from policy.calendar import WHOLE_DAY, DayKind, Weekday, Window, window
from policy.model import (
    CLIPBOARD_CAP_CHARS,
    IDLE_LIMIT_CAP,
    TOTAL_LIMIT_CAP,
    DeviceKind,
    FactorKind,
    QualityProfile,
    Zone,
)
from policy.problems import fault

_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Layer(StrEnum):
    """Where a rule comes from and what it may do (see docs/reference/policy.md)."""

    NORMAL = "normal"
    BCP = "bcp"
    CAPACITY = "capacity"
    GUARDRAIL = "guardrail"


class Effect(StrEnum):
    """What a matching rule does."""

    PERMIT = "permit"
    FORBID = "forbid"
    LIMIT = "limit"


def _name(text: str) -> str:
    plain = unicodedata.normalize("NFC", text)
    if plain != plain.strip() or not plain or len(plain) > 200 or not plain.isprintable():
        raise fault(
            "名前は1~200文字で、前後の空白や制御文字は使えません。",
            "A name has 1 to 200 printable characters and no spaces around it.",
        )
    return plain


def _text(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).strip()
    if not plain or len(plain) > 300:
        raise fault("1~300文字の文を書いてください。", "Write a text of 1 to 300 characters.")
    return plain


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    raise fault(
        "時間の長さは「15m」「8h」「90d」のように、数字と単位（s 秒、m 分、h 時間、d 日）で書いてください。",
        'Write a duration as a number and a unit (s, m, h, d), for example "15m", "8h" or "90d".',
    )


def duration_text(length: timedelta) -> str:
    """The length as the file writes it: "90d", "8h", "15m", "30s"."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _up_to(cap: timedelta) -> Callable[[timedelta], timedelta]:
    def bounded(length: timedelta) -> timedelta:
        if timedelta(seconds=1) <= length <= cap:
            return length
        shown = duration_text(cap)
        raise fault(f"1s 以上、{shown} 以下にしてください。", f"Must be at least 1s and at most {shown}.")

    return bounded


def _window(value: Any) -> Any:
    if isinstance(value, Window):
        return value
    try:
        return window(value)
    except (ValueError, AttributeError):
        raise fault(
            "時間帯は「08:30-17:15」「22:00-06:00」「17:00-24:00」の形で、引用符で囲んで書いてください。",
            'Write a window as "08:30-17:15", "22:00-06:00" or "17:00-24:00", in quotes.',
        ) from None


def _network(value: Any) -> Any:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value if isinstance(value, str) else "", strict=True)
    except ValueError:
        raise fault(
            "ネットワークは「192.0.2.0/24」「2001:db8::/32」の形で書いてください（ホスト部は0）。",
            'Write a network as "192.0.2.0/24" or "2001:db8::/32", host bits zero.',
        ) from None


def _day(value: Any) -> Any:
    """A date, never a number: pydantic would read 20260401 as seconds since 1970."""
    try:
        plain = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        plain = None
    if type(plain) is date:
        return plain
    raise fault("日付は 2026-04-01 の形で書いてください。", "Write a date as 2026-04-01.")


def _days(value: Any) -> Any:
    names = value if isinstance(value, list | tuple) else [value]
    known = list(Weekday) if isinstance(value, list | tuple) else list(DayKind)
    if names and all(name in known for name in names):
        return tuple(Weekday(name) for name in names) if isinstance(value, list | tuple) else DayKind(value)
    raise fault(
        "days は workdays（開庁日）、holidays（閉庁日）、every_day（毎日）か、[mon, tue, …] の一覧で書いてください。",
        "Write days as workdays, holidays, every_day or a list such as [mon, tue].",
    )


Name = Annotated[StrictStr, AfterValidator(_name)]
Text = Annotated[StrictStr, AfterValidator(_text)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]
RuleName = Annotated[StrictStr, Field(pattern=r"^[A-Z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$", max_length=40)]
Day = Annotated[date, BeforeValidator(_day)]
Days = Annotated[DayKind | tuple[Weekday, ...], BeforeValidator(_days)]
Bound = Annotated[int, Field(strict=True, ge=0, le=100)]
DaysAWeek = Annotated[int, Field(strict=True, ge=1, le=7)]
Chars = Annotated[int, Field(strict=True, ge=0, le=CLIPBOARD_CAP_CHARS)]
IdleLimit = Annotated[Duration, AfterValidator(_up_to(IDLE_LIMIT_CAP))]
TotalLimit = Annotated[Duration, AfterValidator(_up_to(TOTAL_LIMIT_CAP))]


class Section(BaseModel):
    """Base of all parts of a policy: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_by_name=True)


class Bilingual(Section):
    """A text for people, in both languages."""

    ja: Text
    en: Text


class Hours(Section):
    """Windows of local time on some days. A window belongs to the day on which it begins."""

    windows: Annotated[tuple[Annotated[Window, BeforeValidator(_window)], ...], Field(min_length=1)] = (WHOLE_DAY,)
    days: Days = DayKind.EVERY_DAY


class Dates(Section):
    """Local dates, both ends included; at least one end is given."""

    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.from_ is None and self.until is None:
            raise fault("from か until を書いてください。", "Give from or until.")
        if self.from_ and self.until and self.until < self.from_:
            raise fault("until が from より前です。", "until is before from.")
        return self


class Age(Section):
    """How long ago: exactly one of `at_most` and `over`."""

    at_most: Duration | None = None
    over: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.at_most is None) == (self.over is None):
            raise fault("at_most と over のどちらか一つを書いてください。", "Give exactly one of at_most and over.")
        return self


class Threshold(Section):
    """A percentage or a count: exactly one of `at_least` and `below`."""

    at_least: Bound | None = None
    below: Bound | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.at_least is None) == (self.below is None):
            raise fault("at_least と below のどちらか一つを書いてください。", "Give exactly one of at_least and below.")
        return self


class Bcp(Section):
    """An active declaration of a plan at this level or a higher one."""

    plan: Name
    level: Literal["first", "second"]


class When(Section):
    """Conditions that must all hold. Lists mean "one of these"."""

    groups: Names | None = None
    departments: Names | None = None
    duties: Names | None = None
    employment: Names | None = None
    users: Names | None = None
    suspended: StrictBool | None = None
    pools: Names | None = None
    pool_classes: Names | None = None
    zones: Annotated[tuple[Zone, ...], Field(min_length=1)] | None = None
    sites: Names | None = None
    networks: Names | None = None
    device_kinds: Annotated[tuple[DeviceKind, ...], Field(min_length=1)] | None = None
    device_registered: StrictBool | None = None
    hours: Hours | None = None
    dates: Dates | None = None
    days_a_week: DaysAWeek | None = None
    """Today would be at most that day of the week with work on a desktop."""
    password_age: Age | None = None
    totp_age: Age | None = None
    factors: Annotated[tuple[FactorKind, ...], Field(min_length=1)] | None = None
    seats_used_percent: Threshold | None = None
    gateway_load_percent: Threshold | None = None
    user_sessions: Threshold | None = None
    bcp: Bcp | None = None
    same_tenant: StrictBool | None = None
    zone_known: StrictBool | None = None
    any_of: "Annotated[tuple[When, ...], Field(min_length=1)] | None" = None
    all_of: "Annotated[tuple[When, ...], Field(min_length=1)] | None" = None
    not_: "When | None" = Field(default=None, alias="not")

    def given(self) -> dict[str, Any]:
        """The conditions that are there, by field name."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class Terms(Section):
    """What a permit gives. Of several matching permits the best of each term counts; what a permit leaves out is the
    default (no clipboard, full control, 15 minutes idle, 8 hours, standard picture)."""

    clipboard_in_chars: Chars | None = None
    clipboard_out_chars: Chars | None = None
    view_only: StrictBool | None = None
    idle_limit: IdleLimit | None = None
    total_limit: TotalLimit | None = None
    quality: QualityProfile | None = None


class Oblige(Section):
    """What a rule imposes, whatever other rules give: the strictest of all counts."""

    clipboard_in_chars: Chars | None = None
    clipboard_out_chars: Chars | None = None
    view_only: Literal[True] | None = None
    idle_limit: IdleLimit | None = None
    total_limit: TotalLimit | None = None
    quality: QualityProfile | None = None


class Rule(Section):
    """One rule. `message` is what a refused person reads; without it they read the rule's name."""

    id: RuleName
    layer: Layer = Layer.NORMAL
    effect: Effect
    name: Bilingual
    when: When = When()
    terms: Terms | None = None
    oblige: Oblige | None = None
    message: Bilingual | None = None


class Network(Section):
    """A named source network, for example a branch office's line."""

    name: Bilingual
    cidrs: Annotated[tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...], Field(min_length=1)]


class CalendarSection(Section):
    """The city's own exceptions to weekends, national holidays and 12/29-1/3."""

    workdays: tuple[Day, ...] = ()
    holidays: tuple[Day, ...] = ()

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        if both := sorted(set(self.workdays) & set(self.holidays)):
            raise fault(
                f"{both[0]} が workdays と holidays の両方にあります。", f"{both[0]} is in both workdays and holidays."
            )
        return self


class PolicyDocument(Section):
    """A whole policy file. `format` is 1."""

    format: Literal[1]
    name: Bilingual
    networks: dict[Name, Network] = Field(default_factory=dict)
    calendar: CalendarSection = CalendarSection()
    rules: Annotated[tuple[Rule, ...], Field(max_length=500)]
