"""What a decision rests on beside its grant: whether normal policy alone would have allowed it, and if not, by which
declarations it was widened. The gateway knows; here it is only kept for the audit. Pure.

Counterparts: `broker/chronicle.py` says it with every event of a session, `broker/registry.py` notices when it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from common.audit import Detail
from policy.model import Decision

NO_BASIS: Final[Mapping[str, Detail]] = {}
BASIS: Final = ("normal_allowed", "declarations", "drill")
"""The details that a session's later events say again."""
_NORMAL: Final[Mapping[str, Detail]] = {"normal_allowed": True}


@dataclass(frozen=True, slots=True)
class Answer:
    """May a live session go on, and what the audit has to say about it."""

    decision: Decision
    basis: Mapping[str, Detail] = field(default_factory=dict)


def rests_otherwise(before: Mapping[str, Detail], now: Mapping[str, Detail]) -> bool:
    """Whether the audit must learn of a new basis, even on the same terms."""
    return any(before.get(key, _NORMAL.get(key)) != now.get(key, _NORMAL.get(key)) for key in BASIS)
