"""The time that a live session keeps when the declaration it rested on is gone (safe return, not a pulled plug).

Counterpart: `gateway/judge.py` asks at every round. Only the loss of a declaration is softened: a guardrail, a personal
block or a changed normal rule acts at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.clock import Clock
from common.ids import SessionId
from policy.bcp.overlay import ActiveDeclaration
from policy.bcp.service import BcpService, Judged
from policy.guardrails import REASONS
from policy.model import Decision, Request

_GUARDED: Final = frozenset(REASONS.values())


@dataclass(slots=True)
class _Rest:
    """What a session rested on when it was last allowed, and since when it is not."""

    allowed: Decision
    overlay_ids: tuple[str, ...]
    until_monotonic: float | None = None
    until: datetime | None = None


class Grace:
    """By session, on the node that holds the viewer."""

    def __init__(self, bcp: BcpService, clock: Clock) -> None:
        self._bcp = bcp
        self._clock = clock
        self._rests: dict[SessionId, _Rest] = {}

    def judge(self, session_id: SessionId, asked: Request, judged: Judged) -> Decision:
        """The decision to act on: the one given, or the last allowed one while the grace runs."""
        if judged.decision.allowed:
            self._rests[session_id] = _Rest(judged.decision, judged.overlay_ids)
            return judged.decision
        rest = self._rests.get(session_id)
        if rest is None or not rest.overlay_ids or self._at_once(asked, judged.decision, rest.overlay_ids):
            return judged.decision
        now = self._clock.monotonic()
        if rest.until_monotonic is None:
            length = self._bcp.grace(rest.overlay_ids)
            rest.until_monotonic, rest.until = now + length.total_seconds(), self._clock.now() + length
        if now < rest.until_monotonic:
            return rest.allowed
        del self._rests[session_id]
        return judged.decision

    def ends_at(self, session_id: SessionId) -> datetime | None:
        """When the grace of a session runs out; None when it needs none."""
        rest = self._rests.get(session_id)
        return rest.until if rest else None

    def lost(self, session_id: SessionId) -> ActiveDeclaration | None:
        """The declaration that a session rested on which goes on by grace alone."""
        rest = self._rests.get(session_id)
        if rest is None or rest.until is None:
            return None
        return next((item for overlay_id in rest.overlay_ids if (item := self._bcp.known(overlay_id))), None)

    def forget_all_but(self, wanted: set[SessionId]) -> None:
        """Drop sessions whose viewer is gone."""
        for gone in self._rests.keys() - wanted:
            del self._rests[gone]

    def _at_once(self, asked: Request, refused: Decision, overlay_ids: tuple[str, ...]) -> bool:
        if refused.reason.code in _GUARDED:
            return True
        blocked = (item.declaration.blocked for item in self._bcp.active() if item.declaration.id in overlay_ids)
        return any(asked.subject.user_id in people for people in blocked)
