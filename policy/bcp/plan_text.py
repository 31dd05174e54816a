"""A plan as the YAML of a file, and a text checked as if it were that file. Pure.

Counterparts: `policy.bcp.plan` reads, `policy.bcp.proof` proves. The console's form sends JSON, which is YAML, so that
form, file and command line go through one and the same check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from policy.bcp import proof
from policy.bcp.plan import Plan, content_of, parse
from policy.model import Resource
from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import PolicyDocument


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text is worth: the plan when it may be proposed, and every error and warning."""

    plan: Plan | None
    problems: tuple[Problem, ...]


def text_of(plan: Plan) -> str:
    """A file with this plan alone; reading it gives the same plan (test)."""
    whole = {"format": 1, "plans": [_tidy(content_of(plan))]}
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=100)


def checked(text: str, base: PolicyDocument, *, today: date, known: Sequence[Resource]) -> Checked:
    """The one plan of the text, parsed and proven beside the base policy. Never raises for what the text says."""
    try:
        file, lines = parse(text)
    except PolicyInvalid as error:
        return Checked(None, error.problems)
    if len(file.plans) != 1:
        return Checked(None, (_not_one(len(file.plans)),))
    problems = proof.prove(file, lines, base, today=today, known=known)
    faulty = any(problem.severity is Severity.ERROR for problem in problems)
    return Checked(None if faulty else file.plans[0], problems)


def _not_one(count: int) -> Problem:
    return Problem(
        Severity.ERROR,
        "plans",
        f"計画を1つだけ書いてください（{count}個あります）。",
        f"Write exactly one plan (there are {count}).",
    )


def _tidy(value: Any) -> Any:
    """Without empty lists and mappings, which say nothing."""
    match value:
        case dict():
            return {key: _tidy(part) for key, part in value.items() if part not in ([], {})}
        case list():
            return [_tidy(part) for part in value]
        case _:
            return value
