"""The rules that can matter for one pool, with everything about the pool already judged. Pure.

Counterpart: `policy.engine`, which keeps one program per pool and runs it for every request. A pool's class, zone
and site do not change between two decisions, so their conditions are evaluated once, here, and the rest is what a
decision pays for.
"""

from dataclasses import dataclass

from policy.conditions import Answer, Check, Condition, Kind, conjunction
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

    __slots__ = ("_always", "_blocked", "_demands", "_forbids", "_open", "_permits")

    def __init__(self) -> None:
        self._blocked = False
        """A forbid matches whatever the rest of the request says."""
        self._open = 0
        """Bits of the permits that match whatever the rest of the request says."""
        self._always = 0
        """Bits of the demands that bind whatever the rest of the request says."""
        self._forbids: list[tuple[int, Check, tuple[Check, ...]]] = []
        self._permits: list[tuple[int, Check, tuple[Check, ...]]] = []
        self._demands: list[tuple[int, Check, tuple[Check, ...]]] = []

    def add(self, compiled: CompiledRule, rest: tuple[Check, ...], *, on_target: Answer) -> None:
        """Take in a rule of which only `rest` is still to be tested; its target is met or, None, unknown."""
        rule = compiled.rule
        if rule.effect is Effect.FORBID:
            self._blocked |= not rest
            self._forbids += [(0, gate, rest[1:]) for gate in rest[:1]]
        if rule.effect is Effect.PERMIT and on_target:
            self._open |= 0 if rest else compiled.permit_bit
            self._permits += [(compiled.permit_bit, gate, rest[1:]) for gate in rest[:1]]
        if rule.oblige:
            self._always |= 0 if rest else compiled.oblige_bit
            self._demands += [(compiled.oblige_bit, gate, rest[1:]) for gate in rest[:1]]

    def matching(self, request: Request) -> int:
        """Bits of the matching permits and the binding demands; 0 when refused. This is the hot path: plain loops.

        Unknown (None) stops a permit and does not stop a forbid or a demand.
        """
        if self._blocked:
            return 0
        for _, gate, others in self._forbids:
            if gate(request) is not False:
                for check in others:
                    if check(request) is False:
                        break
                else:
                    return 0
        permitted = self._open
        for bit, gate, others in self._permits:
            if gate(request) is True:
                for check in others:
                    if check(request) is not True:
                        break
                else:
                    permitted |= bit
        return permitted and permitted | self._always | self._binding(request)

    def _binding(self, request: Request) -> int:
        bits = 0
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
            rest = tuple(c.check for c in compiled.conditions if not c.kinds <= {Kind.TARGET})
            program.add(compiled, rest, on_target=on_target)
    return program


def counts(rule: Rule, request: Request) -> bool:
    """Whether the rule takes part: a full pool refuses new sessions, not the live ones that fill it."""
    return not (request.context.live and rule.layer is Layer.CAPACITY and rule.effect is Effect.FORBID)
