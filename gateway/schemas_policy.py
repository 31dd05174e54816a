"""What another policy would change, as the API takes and gives it. Pure.

Counterparts: `gateway/handlers/policy.py`, `policy.what_if`.
"""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from gateway.schemas import Answer, Body
from gateway.schemas_what_if import PersonAnswer
from policy.loading import MAX_CHARS


class PolicyEffectBody(Body):
    """The text of a policy file, set against another one or, without, against the one in force."""

    largest: ClassVar[int] = 8 * MAX_CHARS
    """Bytes of two texts of so many characters."""
    text: str = Field(min_length=1, max_length=MAX_CHARS)
    against: str | None = Field(default=None, min_length=1, max_length=MAX_CHARS)
    people: bool = False
    """Whether to name them."""


class SituationAnswer(Answer):
    """When, from where, and what is out of the ordinary."""

    at: datetime
    place_ja: str
    place_en: str
    fact_ja: str | None
    fact_en: str | None


class EffectCountAnswer(Answer):
    """How many people gain and lose this at this pool; `what` is an action or "terms"."""

    pool_id: str
    what: str
    gain: int
    lose: int


class EffectChangeAnswer(Answer):
    """People who all gain, or all lose, the same at the same pools, in so many of the situations."""

    gain: bool
    what: list[str]
    pools: list[str]
    people: int
    named: list[PersonAnswer]
    situations: int
    example: SituationAnswer


class PolicyEffectAnswer(Answer):
    """Who would gain and lose what under the policy `version`, set against `against_version`."""

    version: str
    against_version: str
    people: int
    pools: int
    situations: int
    gain_people: int
    lose_people: int
    counts: list[EffectCountAnswer]
    changes: list[EffectChangeAnswer]
