"""What is wrong with a policy file, in Japanese and English, with the rule and the place. Pure.

Counterpart: `policy.loading` and `policy.checks` find problems, `policy.report` prints them. Must not read files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic_core import PydanticCustomError

from common.errors import ConfigError


class Severity(StrEnum):
    """An error keeps the policy from being used; a warning is shown and does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `path` is the place in the YAML ("rules[3].when.hours"), `line` counts from 1 where it is known."""

    severity: Severity
    path: str
    text_ja: str
    text_en: str
    rule_id: str | None = None
    line: int | None = None


class PolicyInvalid(ConfigError):
    """The policy cannot be used. `problems` holds every error (and warning) found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{p.path}: {p.text_en}" for p in self.problems))


def fault(text_ja: str, text_en: str) -> PydanticCustomError:
    """A validation error that keeps both languages."""
    return PydanticCustomError("policy", "{text_en}", {"text_ja": text_ja, "text_en": text_en})
