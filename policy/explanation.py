"""Every rule with its unmet conditions: what the audit stores, `policy explain` prints and refusals are read from.
Pure.

Counterpart: `policy.engine.Engine.explain`. It is a second, plain evaluation of the rules beside the engine's fast
one; property tests hold the two against each other. Must not decide for the gateway.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from common.ids import RuleId
from policy.conditions import Condition
from policy.leaves import Answer
from policy.model import Request
from policy.program import CompiledRule, counts
from policy.schema import Effect, Rule


class Outcome(StrEnum):
    """How a rule stands to a request."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule: its outcome, and the conditions that fail or cannot be told."""

    compiled: CompiledRule
    outcome: Outcome
    takes_part: bool
    unmet: tuple[Condition, ...]
    unknown: tuple[Condition, ...]

    @property
    def rule(self) -> Rule:
        """The rule as written."""
        return self.compiled.rule

    @property
    def missing(self) -> tuple[Condition, ...]:
        """What a permit lacks."""
        return self.unmet + self.unknown

    @property
    def permits(self) -> bool:
        """A permit needs every condition known and met."""
        return self.takes_part and self.rule.effect is Effect.PERMIT and self.outcome is Outcome.MET

    @property
    def forbids(self) -> bool:
        """A forbid holds unless a condition is known to fail."""
        return self.takes_part and self.rule.effect is Effect.FORBID and self.outcome is not Outcome.UNMET

    @property
    def binds(self) -> bool:
        """What a rule imposes holds unless a condition is known to fail."""
        return self.takes_part and self.rule.oblige is not None and self.outcome is not Outcome.UNMET


@dataclass(frozen=True)
class Explanation:
    """All findings for one request. `fault` names an exception: then nothing is allowed and `answers` is empty."""

    request: Request
    policy_version: str
    rules: tuple[CompiledRule, ...]
    answers: tuple[tuple[Answer, ...], ...]
    """For each rule the answer of each condition; findings are made from it once, on demand: explaining stays cheap."""
    fault: str | None = None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every rule, sorted by id."""
        return tuple(self._finding(rule, answers) for rule, answers in zip(self.rules, self.answers, strict=False))

    @cached_property
    def permitting(self) -> tuple[Finding, ...]:
        """The permits that match."""
        return tuple(finding for finding in self.findings if finding.permits)

    @cached_property
    def forbidding(self) -> tuple[Finding, ...]:
        """The forbids that match."""
        return tuple(finding for finding in self.findings if finding.forbids)

    @property
    def binding(self) -> tuple[Finding, ...]:
        """The rules whose `oblige` binds."""
        return tuple(finding for finding in self.findings if finding.binds)

    @property
    def allowed(self) -> bool:
        """No forbid matches and some permit does."""
        return self.fault is None and not self.forbidding and bool(self.permitting)

    @property
    def rule_ids(self) -> tuple[RuleId, ...]:
        """As `Decision.rule_ids`: permits and binding rules when allowed, forbids when refused."""
        deciding = (*self.permitting, *self.binding) if self.allowed else self.forbidding
        return tuple(sorted({RuleId(finding.rule.id) for finding in deciding}))

    def _finding(self, compiled: CompiledRule, answers: tuple[Answer, ...]) -> Finding:
        pairs = list(zip(compiled.conditions, answers, strict=True))
        unmet = tuple(condition for condition, answer in pairs if answer is False)
        unknown = tuple(condition for condition, answer in pairs if answer is None)
        outcome = Outcome.UNMET if unmet else Outcome.UNKNOWN if unknown else Outcome.MET
        return Finding(compiled, outcome, counts(compiled.rule, self.request), unmet, unknown)
