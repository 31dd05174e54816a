"""The rules that can matter for one pool, with everything about the pool already judged. Pure.

Counterpart: `policy.engine`, which keeps one program per pool and runs it for every request. A pool's class, zone
and site do not change between two decisions, so their conditions are evaluated once, here, and the rest is what a
decision pays for.
"""

from dataclasses import dataclass

from policy.conditions import Condition, Kind, conjunction
from policy.leaves import Answer, Check
from policy.model import Request
from policy.schema import Effect, Layer, Rule


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
        self._forbids: list[tuple[Check, tuple[Check, ...]]] = []
        self._permits: list[tuple[int, Check, tuple[Check, ...]]] = []
        """Permits that name no group."""
        self._by_group: dict[str, list[tuple[int, tuple[Check, ...]]]] = {}
        """Permits by the groups that they name: those of other groups cost nothing."""
        self._demands: list[tuple[int, Check, tuple[Check, ...]]] = []

    def add(self, compiled: CompiledRule, rest: tuple[Condition, ...], *, on_target: Answer) -> None:
        """Take in a rule of which only `rest` is still to be tested; its target is met or, None, unknown."""
        rule = compiled.rule
        checks = tuple(condition.check for condition in rest)
        if rule.effect is Effect.FORBID:
            self._blocked |= not checks
            self._forbids += [(gate, checks[1:]) for gate in checks[:1]]
        if rule.effect is Effect.PERMIT and on_target:
            self._permit(compiled, rest)
        if rule.oblige:
            self._always |= 0 if checks else compiled.oblige_bit
            self._demands += [(compiled.oblige_bit, gate, checks[1:]) for gate in checks[:1]]

    def _permit(self, compiled: CompiledRule, rest: tuple[Condition, ...]) -> None:
        bit = compiled.permit_bit
        if groups := compiled.rule.when.groups:
            others = tuple(condition.check for condition in rest if condition.key != "groups")
            for group in groups:
                self._by_group.setdefault(group, []).append((bit, others))
            return
        checks = tuple(condition.check for condition in rest)
        self._open |= 0 if checks else bit
        self._permits += [(bit, gate, checks[1:]) for gate in checks[:1]]

    def matching(self, request: Request) -> int:  # noqa: C901 - one flat loop a kind: calls would cost a fifth
        """Bits of the matching permits and the binding demands; 0 when refused. This is the hot path: plain loops.

        Unknown (None) stops a permit and does not stop a forbid or a demand.
        """
        if self._blocked:
            return 0
        for gate, others in self._forbids:
            if gate(request) is not False:
                for check in others:
                    if check(request) is False:
                        break
                else:
                    return 0
        bits = self._open
        by_group = self._by_group
        for group in request.subject.groups:
            if group in by_group:
                for bit, others in by_group[group]:
                    for check in others:
                        if check(request) is not True:
                            break
                    else:
                        bits |= bit
        for bit, gate, others in self._permits:
            if gate(request) is True:
                for check in others:
                    if check(request) is not True:
                        break
                else:
                    bits |= bit
        if not bits:
            return 0
        bits |= self._always
        for bit, gate, others in self._demands:
            if gate(request) is not False:
                for check in others:
                    if check(request) is False:
                        break
                else:
                    bits |= bit
        return bits


def specialise(rules: tuple[CompiledRule, ...], request: Request) -> Program:
    """The program for the request's resource, for new sessions or for live ones."""
    program = Program()
    for compiled in rules:
        target = tuple(c for c in compiled.conditions if c.kinds <= {Kind.TARGET})
        on_target = conjunction(target)(request) if target else True
        if on_target is not False and counts(compiled.rule, request):
            rest = tuple(c for c in compiled.conditions if not c.kinds <= {Kind.TARGET})
            program.add(compiled, rest, on_target=on_target)
    return program


def counts(rule: Rule, request: Request) -> bool:
    """Whether the rule takes part: a full pool refuses new sessions, not the live ones that fill it."""
    return not (request.context.live and rule.layer is Layer.CAPACITY and rule.effect is Effect.FORBID)
