"""The rules that can matter for one pool for a while, with everything about pool and clock already judged. Pure.

Counterpart: `policy.engine`, which keeps one program per pool and state of the clock (which hours and dates of the
policy hold) and runs it for every request. A pool's class, zone and site do not change between two decisions, and the
clock's state seldom does, so their conditions are evaluated once, here, and the rest is what a decision pays for.
"""

from dataclasses import dataclass
from typing import Final

from policy.conditions import Condition, Kind, conjunction
from policy.leaves import Answer, Check
from policy.model import Request
from policy.schema import Effect, Layer, Rule

_AHEAD: Final = frozenset({Kind.TARGET, Kind.CLOCK})
"""What can be judged ahead of a request."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule, its conditions in testing order, and its place in the mask of matching rules."""

    rule: Rule
    conditions: tuple[Condition, ...]
    permit_bit: int
    oblige_bit: int


class Program:
    """What is left to test for one pool."""

    __slots__ = ("_always", "_blocked", "_by_group", "_demands", "_forbids", "_open", "_permits")

    def __init__(self) -> None:
        self._blocked = False
        """A forbid matches whatever the rest of the request says."""
        self._open = 0
        """Bits of the permits that match whatever the rest of the request says."""
        self._always = 0
        """Bits of the demands that bind whatever the rest of the request says."""
        self._forbids: list[Check] = []
        self._permits: list[tuple[int, Check]] = []
        """Permits that name no group."""
        self._by_group: dict[str, list[tuple[int, Check]]] = {}
        """Permits by the groups that they name: those of other groups cost nothing."""
        self._demands: list[tuple[int, Check]] = []

    def add(self, compiled: CompiledRule, rest: tuple[Condition, ...], *, judged: Answer) -> None:
        """Take in a rule of which only `rest` is still to be tested; what was judged is met or, None, unknown."""
        rule = compiled.rule
        if rule.effect is Effect.FORBID:
            self._blocked |= not rest
            self._forbids += [conjunction(rest)] if rest else []
        if rule.effect is Effect.PERMIT and judged:
            self._permit(compiled, rest)
        if rule.oblige:
            self._always |= 0 if rest else compiled.oblige_bit
            self._demands += [(compiled.oblige_bit, conjunction(rest))] if rest else []

    def _permit(self, compiled: CompiledRule, rest: tuple[Condition, ...]) -> None:
        bit = compiled.permit_bit
        if groups := compiled.rule.when.groups:
            others = conjunction(tuple(condition for condition in rest if condition.key != "groups"))
            for group in groups:
                self._by_group.setdefault(group, []).append((bit, others))
            return
        self._open |= 0 if rest else bit
        self._permits += [(bit, conjunction(rest))] if rest else []

    def matching(self, request: Request) -> int:  # noqa: C901 - one flat loop a kind: calls would cost a fifth
        """Bits of the matching permits and the binding demands; 0 when refused. This is the hot path: plain loops.

        Unknown (None) stops a permit and does not stop a forbid or a demand.
        """
        if self._blocked:
            return 0
        for check in self._forbids:
            if check(request) is not False:
                return 0
        bits = self._open
        by_group = self._by_group
        for group in request.subject.groups:
            if group in by_group:
                for bit, check in by_group[group]:
                    if check(request) is True:
                        bits |= bit
        for bit, check in self._permits:
            if check(request) is True:
                bits |= bit
        if not bits:
            return 0
        bits |= self._always
        for bit, check in self._demands:
            if check(request) is not False:
                bits |= bit
        return bits


def specialise(rules: tuple[CompiledRule, ...], request: Request) -> Program:
    """The program for the request's resource and state of the clock, for new sessions or for live ones."""
    program = Program()
    for compiled in rules:
        ahead = tuple(c for c in compiled.conditions if c.kinds <= _AHEAD)
        judged = conjunction(ahead)(request)
        if judged is not False and counts(compiled.rule, request):
            rest = tuple(c for c in compiled.conditions if not c.kinds <= _AHEAD)
            program.add(compiled, rest, judged=judged)
    return program


def counts(rule: Rule, request: Request) -> bool:
    """Whether the rule takes part: a full pool refuses new sessions, not the live ones that fill it."""
    return not (request.context.live and rule.layer is Layer.CAPACITY and rule.effect is Effect.FORBID)
