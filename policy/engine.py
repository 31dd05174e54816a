"""Decides. One immutable engine per policy version; swap the reference to change the policy. Pure and thread-safe.

Counterpart: `policy.service` builds engines from files; gateway and broker ask `decide`. Everything the answer
depends on is in the request. Deny is the default; an exception anywhere is a deny and an alarm.

    allowed  =  no forbid matches (unknown counts as matching)  and  some permit matches (unknown counts as not)

The order of the rules in the file has no influence: they are sorted by id and all matching ones count.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from common.ids import RuleId
from policy import obligations, refusals
from policy.calendar import stretch
from policy.conditions import Compiler, Kind
from policy.explanation import Explanation
from policy.guardrails import GUARDRAILS
from policy.minting import allow, refuse
from policy.model import Action, Basis, Decision, Reason, Request, Resource
from policy.program import CompiledRule, Program, specialise
from policy.schema import Effect, PolicyDocument, Rule

Alarm = Callable[[str, Request], None]
"""Told of every exception during a decision: exception class and text, and the request."""

_MAX_CACHED: Final = 4096
_CONNECT: Final = Action.CONNECT
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Engine:
    """A compiled policy. Build it from a document that `policy.checks` found free of errors."""

    def __init__(self, document: PolicyDocument, *, on_alarm: Alarm | None = None) -> None:
        compiler = Compiler(document)
        rules = sorted((*document.rules, *GUARDRAILS), key=lambda rule: rule.id)
        self.document: Final = document
        self.version: Final = version_of(document, rules)
        self.rules: Final = tuple(
            CompiledRule(rule, compiler.conditions(rule.when), 1 << (2 * i), 2 << (2 * i))
            for i, rule in enumerate(rules)
        )
        self.edges: Final = tuple(sorted({e for rule in self.rules for c in rule.conditions for e in c.edges}))
        """Minutes of the local day at which a decision can change by the clock alone: re-decide live sessions there."""
        self.counts_days: Final = any(Kind.WEEK in c.kinds for rule in self.rules for c in rule.conditions)
        """Whether any rule asks for `Context.days_worked`: if not, nobody need find it out."""
        self._on_alarm: Final = on_alarm
        self._clocks: Final = compiler.clocks()
        self._stretch: tuple[datetime, datetime, int] = (_NEVER, _NEVER, 0)
        """Since when, until when, and which of the clocks hold in between: one tuple, seen whole by every thread."""
        self._programs: Final[dict[tuple[str, bool, int], tuple[Resource, Program]]] = {}
        self._bases: Final[dict[int, Basis]] = {}
        self.told: Final[dict[tuple[object, bool], refusals.Told]] = {}

    def decide(self, request: Request) -> Decision:
        """Allowed with a grant, or refused with a reason. Never raises."""
        try:
            resource, context = request.resource, request.context
            since, until, clock = self._stretch
            if not since <= context.now < until:
                clock = self.clock(context.now)
                self._stretch = *stretch(context.now, self.edges), clock
            cached = self._programs.get((resource.pool_id, context.live, clock))
            if cached is None or (cached[0] is not resource and cached[0] != resource):
                cached = self._specialise(request, clock)
            mask = cached[1].matching(request)
            if not mask:
                return refuse(refusals.Refused(self, request))
            basis = self._bases.get(mask) or self._basis(mask)
            if request.action is not _CONNECT:
                return self._part(request, basis)
            return allow(request, basis)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer must be no
            return refuse(refusals.Fixed(self.version, self.fault(error, request)))

    def explain(self, request: Request) -> Explanation:
        """Every rule with the answer of each of its conditions. Never raises."""
        try:
            answers = tuple([tuple([condition.check(request) for condition in rule.conditions]) for rule in self.rules])
        except Exception as error:  # noqa: BLE001 - an explanation of a broken request says that it is broken
            reason = self.fault(error, request)
            return Explanation(request, self.version, self.rules, (), reason.text_en)
        return Explanation(request, self.version, self.rules, answers)

    def clock(self, moment: datetime) -> int:
        """Which hours and dates of the policy hold at the moment, a bit each. Raises TypeError for a naive moment."""
        bits = 0
        for holds in self._clocks:
            bits = bits << 1 | holds(moment)
        return bits

    def fault(self, error: Exception, request: Request) -> Reason:
        """Raise the alarm; the person learns only that it did not work."""
        if self._on_alarm:
            self._on_alarm(f"{type(error).__name__}: {error}", request)
        return refusals.POLICY_ERROR

    def _specialise(self, request: Request, clock: int) -> tuple[Resource, Program]:
        made = request.resource, specialise(self.rules, request)
        if len(self._programs) >= _MAX_CACHED:
            self._programs.clear()
        self._programs[request.resource.pool_id, request.context.live, clock] = made
        return made

    def _basis(self, mask: int) -> Basis:
        permits = [rule.rule for rule in self.rules if mask & rule.permit_bit and rule.rule.effect is Effect.PERMIT]
        demands = [rule.rule for rule in self.rules if mask & rule.oblige_bit]
        merged = obligations.merge(
            [rule.terms or obligations.NO_TERMS for rule in permits], [rule.oblige for rule in demands if rule.oblige]
        )
        basis = Basis(merged, tuple(sorted({RuleId(rule.id) for rule in (*permits, *demands)})), self.version)
        if len(self._bases) >= _MAX_CACHED:
            self._bases.clear()
        self._bases[mask] = basis
        return basis

    def _part(self, request: Request, basis: Basis) -> Decision:
        """Actions inside an allowed session."""
        terms = basis.obligations
        match request.action:
            case Action.VIEW:
                return allow(request, replace(basis, obligations=obligations.view_only(terms)))
            case Action.CONTROL if terms.view_only:
                return refuse(refusals.Fixed(self.version, refusals.VIEW_ONLY, basis.rule_ids))
            case Action.CLIPBOARD_IN if not terms.clipboard_in_chars:
                return refuse(refusals.Fixed(self.version, refusals.CLIPBOARD_OFF, basis.rule_ids))
            case Action.CLIPBOARD_OUT if not terms.clipboard_out_chars:
                return refuse(refusals.Fixed(self.version, refusals.CLIPBOARD_OFF, basis.rule_ids))
            case Action.CONNECT | Action.CONTROL | Action.CLIPBOARD_IN | Action.CLIPBOARD_OUT:
                return allow(request, basis)


def version_of(document: PolicyDocument, rules: list[Rule]) -> str:
    """16 hex digits over all that decides: rules (sorted, guardrails included), networks and calendar."""
    content = document.model_dump(mode="json", exclude={"rules"}), [rule.model_dump(mode="json") for rule in rules]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
