"""Why not, in words the person can act on, and from when it would work. Pure.

Counterpart: `policy.engine`. The reason is worked out only when somebody reads it. Guardrails speak first; then
"this is not for you"; then what forbids; then the nearest permit and what it lacks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from common.ids import RuleId
from policy.calendar import at, local, monday
from policy.conditions import Condition, Kind
from policy.explanation import Explanation, Finding, Outcome
from policy.guardrails import REASONS
from policy.model import Action, Context, Decision, Reason, ReasonCode, Request
from policy.schema import Effect, Layer

SEARCH_DAYS: Final = 14
_MAX_TOLD: Final = 4096

POLICY_ERROR: Final = Reason(
    ReasonCode.POLICY_ERROR,
    "利用の可否を判断できませんでした。情報システム担当へ連絡してください。",
    "It could not be decided whether you may use this. Contact your IT desk.",
)
VIEW_ONLY: Final = Reason(ReasonCode.VIEW_ONLY, "閲覧のみで利用できます。", "You may look only.")
CLIPBOARD_OFF: Final = Reason(
    ReasonCode.CLIPBOARD_OFF, "文字のコピーと貼り付けは許可されていません。", "Copy and paste of text is not allowed."
)
_NOT_ASSIGNED: Final = Reason(
    ReasonCode.NOT_ASSIGNED,
    "このデスクトップの利用は許可されていません。必要な場合は所属の情報担当へ申し出てください。",
    "This desktop is not assigned to you. If you need it, ask your department's IT contact.",
)
_LACKS: Final[dict[Kind, tuple[ReasonCode, str, str]]] = {
    Kind.DEVICE: (
        ReasonCode.DEVICE_NOT_ALLOWED,
        "この端末からは利用できません。登録された端末を使ってください。",
        "Not from this device. Use a registered one.",
    ),
    Kind.PLACE: (
        ReasonCode.NOT_FROM_HERE,
        "この場所（ネットワーク）からは利用できません。",
        "Not from this place (network).",
    ),
    Kind.FACTOR: (
        ReasonCode.TOTP_REQUIRED,
        "ワンタイムコードの確認が必要です。もう一度ログインしてください。",
        "A one-time code is needed. Sign in again.",
    ),
    Kind.LOAD: (
        ReasonCode.CAPACITY,
        "ただいま混み合っています。しばらく待ってからもう一度お試しください。",
        "The desktops are full at the moment. Wait a while and try again.",
    ),
    Kind.WEEK: (
        ReasonCode.DAYS_USED_UP,
        "今週利用できる日数を使い切りました。",
        "This week's days are used up.",
    ),
    Kind.CLOCK: (
        ReasonCode.OUTSIDE_HOURS,
        "利用できる時間帯ではありません。",
        "Outside the permitted hours.",
    ),
}
"""What a permit can lack, the hardest to remedy first: that one is told."""

_DAYS_UNKNOWN: Final = (
    ReasonCode.DAYS_UNKNOWN,
    "今週利用した日数を確認できないため、今は利用できません。しばらく待ってからもう一度お試しください。",
    "How many days you have worked this week cannot be told at the moment. Wait a while and try again.",
)
_BY_TIME: Final = frozenset({Kind.CLOCK, Kind.WEEK})
_NOT_YOURS: Final = frozenset({Kind.PERSON, Kind.TARGET, Kind.BCP})


@dataclass(frozen=True, slots=True)
class Told:
    """A reason without its moment, and whether the clock may bring one."""

    reason: Reason
    rule_ids: tuple[RuleId, ...]
    may_end: bool


class Judge(Protocol):
    """The engine, as far as reasons need it."""

    @property
    def version(self) -> str:
        """Hash of the policy."""

    @property
    def edges(self) -> tuple[int, ...]:
        """Minutes of the local day at which decisions may change."""

    @property
    def counts_days(self) -> bool:
        """See `Engine.counts_days`."""

    @property
    def told(self) -> "dict[tuple[object, bool], Told]":
        """What was told before, by the answers of the conditions and whether the session is live."""

    def clock(self, moment: datetime) -> int:
        """See `Engine.clock`."""

    def decide(self, request: Request) -> Decision:
        """See `Engine.decide`."""

    def explain(self, request: Request) -> Explanation:
        """See `Engine.explain`."""

    def fault(self, error: Exception, request: Request) -> Reason:
        """See `Engine.fault`."""


class Fixed:
    """A refusal whose reason is known at once."""

    __slots__ = ("policy_version", "reason", "rule_ids")

    def __init__(self, policy_version: str, reason: Reason, rule_ids: tuple[RuleId, ...] = ()) -> None:
        self.policy_version = policy_version
        self.reason = reason
        self.rule_ids = rule_ids


class Refused:
    """A refusal that is explained when asked. Engine and request never change, so neither does the answer."""

    __slots__ = ("_engine", "_found", "_request")

    def __init__(self, engine: Judge, request: Request) -> None:
        self._engine = engine
        self._request = request
        self._found: Fixed | None = None

    @property
    def policy_version(self) -> str:
        """See `Decision.policy_version`."""
        return self._engine.version

    @property
    def reason(self) -> Reason:
        """See `Decision.reason`."""
        return self._find().reason

    @property
    def rule_ids(self) -> tuple[RuleId, ...]:
        """See `Decision.rule_ids`."""
        return self._find().rule_ids

    def _find(self) -> Fixed:
        if self._found is None:
            try:
                explanation = self._engine.explain(self._request)
                told = told_for(self._engine, explanation)
                reason = told.reason
                if told.may_end:
                    reason = replace(reason, available_from=next_moment(self._engine, self._request))
                self._found = Fixed(self._engine.version, reason, told.rule_ids)
            except Exception as error:  # noqa: BLE001 - a refusal without a reason is still a refusal
                self._found = Fixed(self._engine.version, self._engine.fault(error, self._request))
        return self._found


def told_for(engine: Judge, explanation: Explanation) -> Told:
    """People are refused alike: all but the moment follows from the conditions' answers and the live session."""
    if explanation.fault is not None:
        return Told(POLICY_ERROR, explanation.rule_ids, may_end=False)
    alike = explanation.answers, explanation.request.context.live
    told = engine.told.get(alike)
    if told is None:
        reason, may_end = _reason_for(explanation)
        if len(engine.told) >= _MAX_TOLD:
            engine.told.clear()
        told = engine.told[alike] = Told(reason, explanation.rule_ids, may_end)
    return told


def _reason_for(explanation: Explanation) -> tuple[Reason, bool]:
    """The reason of a refused request, and whether time alone may end it."""
    forbidding = explanation.forbidding
    if guardrail := _foremost(finding for finding in forbidding if finding.rule.layer is Layer.GUARDRAIL):
        return _told(guardrail), False
    near = _nearest(explanation.findings)
    if near is None:
        return _NOT_ASSIGNED, False
    reason = _told(forbidding[0]) if forbidding else _lack(near)
    return reason, not _hard(near) and all(_may_end(finding) for finding in forbidding)


def next_moment(engine: Judge, request: Request) -> datetime | None:
    """The first moment within 14 days at which the clock alone would allow the request. Walks the clock edges only, and
    asks once for what holds alike: all that changes between such moments is that overlays end, which opens nothing."""
    seen: set[tuple[int, int | None]] = set()
    today, _minute = local(request.context.now)
    for day in range(today, today + SEARCH_DAYS + 1):
        worked = worked_by(request.context, today, day) if engine.counts_days else None
        for edge in engine.edges:
            moment = at(day, edge)
            alike = engine.clock(moment), worked
            if moment <= request.context.now or alike in seen:
                continue
            seen.add(alike)
            context = replace(request.context, now=moment, days_worked=worked)
            if engine.decide(replace(request, action=Action.CONNECT, context=context)).allowed:
                return moment
    return None


def worked_by(context: Context, today: int, day: int) -> int | None:
    """What `Context.days_worked` of today (day ordinals) is on a later day if nobody works until then. Today counts as
    worked unless it is known not to be: what is promised must hold."""
    if monday(day) != monday(today):
        return 0
    if day == today or context.days_worked is None or context.worked_today is False:
        return context.days_worked
    return context.days_worked + 1


def _foremost(findings: Iterable[Finding]) -> Finding | None:
    """What is certain before what is merely not known; then the order of the guardrails' table."""
    order = list(REASONS)
    ranked = sorted(findings, key=lambda f: (f.outcome is not Outcome.MET, order.index(f.rule.id)))
    return ranked[0] if ranked else None


def _told(finding: Finding) -> Reason:
    rule = finding.rule
    code = REASONS.get(rule.id) or (
        ReasonCode.CAPACITY if rule.layer is Layer.CAPACITY else ReasonCode.FORBIDDEN_BY_RULE
    )
    if rule.message:
        return Reason(code, rule.message.ja, rule.message.en, rule_id=RuleId(rule.id))
    return Reason(
        code,
        f"規則「{rule.name.ja}」により利用できません。",
        f'Not allowed by the rule "{rule.name.en}".',
        rule_id=RuleId(rule.id),
    )


def _lack(finding: Finding) -> Reason:
    hard, rule = _hard(finding), finding.rule
    kinds = {kind for condition in hard or finding.missing for kind in condition.kinds if hard or kind in _BY_TIME}
    lack = next(kind for kind in _LACKS if kind in kinds)
    code, text_ja, text_en = _LACKS[lack] if lack is not Kind.WEEK or not hard else _DAYS_UNKNOWN
    if lack is Kind.WEEK and not hard and (cap := rule.when.days_a_week):
        text_ja = f"今週はすでに{cap}日使いました（週{cap}日まで）。"
        text_en = f"{text_en[:-1]} (at most {cap} a week)."
    return Reason(code, text_ja, text_en, rule_id=RuleId(rule.id))


def _nearest(findings: tuple[Finding, ...]) -> Finding | None:
    """The permit for this person and pool that lacks least; None when there is none for them at all."""
    own = [
        finding
        for finding in findings
        if finding.rule.effect is Effect.PERMIT and not any(c.kinds <= _NOT_YOURS for c in finding.missing)
    ]
    return min(own, key=lambda finding: (len(_hard(finding)), len(finding.missing), finding.rule.id), default=None)


def _hard(finding: Finding) -> tuple[Condition, ...]:
    """What the permit lacks and time alone does not bring. Days not counted now may be so any moment."""
    return tuple(
        condition
        for condition in finding.missing
        if condition.kinds.isdisjoint(_BY_TIME) or (condition in finding.unknown and Kind.CLOCK not in condition.kinds)
    )


def _may_end(finding: Finding) -> bool:
    return any(not condition.kinds.isdisjoint(_BY_TIME) for condition in finding.compiled.conditions)
