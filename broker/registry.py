"""The viewers that are attached through this process, each with the string to cut it. No I/O; one event loop only.

Counterparts: `broker/attachments.py` registers and removes, the gateway's WebSocket handler gives the `cut` and
`regrant` callbacks (which must not block) and administrators, the policy watcher and other nodes' events pull them. It
must not touch the database: what a cut means for the session is decided when the viewer's end is reported.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from broker.basis import Answer, rests_otherwise
from broker.models import EndReason
from common.audit import Detail
from common.ids import DesktopId, PoolId, SessionId, TenantId, UserId, WebSessionId
from common.log import get_logger
from policy.model import Grant, Reason, ReasonCode

Cut = Callable[[EndReason], None]
Regrant = Callable[[Grant], None]
_YIELD_EVERY: Final = 100
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """One attached viewer and the grant it rests on."""

    tenant_id: TenantId
    session_id: SessionId
    user_id: UserId
    pool_id: PoolId
    desktop_id: DesktopId
    web_session_id: WebSessionId
    number: int
    """The session's viewer count: tells this viewer from an earlier or later one of the same session."""
    grant: Grant
    since: datetime
    basis: Mapping[str, Detail] = field(default_factory=dict, compare=False)


class Verdict(StrEnum):
    """What a re-judgement did."""

    CHANGED = "changed"
    """Other terms, or allowed by something else: the viewer got the new grant."""
    CUT = "cut"
    """No longer allowed, or the judgement failed."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """One viewer whose terms changed or that was cut; `live` has the new grant when changed."""

    live: LiveSession
    verdict: Verdict
    reason: Reason | None
    """Why it was cut; None when the judgement itself failed."""


@dataclass(slots=True)
class _Entry:
    live: LiveSession
    cut: Cut
    regrant: Regrant


class LiveRegistry:
    """At most one viewer per session; each can be cut at once."""

    def __init__(self) -> None:
        self._entries: dict[SessionId, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def live(self) -> tuple[LiveSession, ...]:
        """All viewers now."""
        return tuple(entry.live for entry in self._entries.values())

    def get(self, session_id: SessionId) -> LiveSession | None:
        """The viewer of a session here, if any."""
        entry = self._entries.get(session_id)
        return None if entry is None else entry.live

    def register(self, live: LiveSession, *, cut: Cut, regrant: Regrant) -> bool:
        """Enter a viewer; an older one of the same session is cut with `TAKEN_OVER`.

        False, and nothing entered, when a newer viewer is there already: the caller has been taken over itself.
        """
        older = self._entries.get(live.session_id)
        if older is not None and older.live.number >= live.number:
            return False
        self._entries[live.session_id] = _Entry(live, cut, regrant)
        if older is not None:
            _pull(older, EndReason.TAKEN_OVER)
        return True

    def remove(self, session_id: SessionId, number: int) -> bool:
        """Forget a viewer whose end was reported; a newer viewer of the session stays."""
        entry = self._entries.get(session_id)
        if entry is None or entry.live.number != number:
            return False
        del self._entries[session_id]
        return True

    def cut(
        self,
        reason: EndReason,
        *,
        tenant_id: TenantId,
        session_id: SessionId | None = None,
        user_id: UserId | None = None,
        pool_id: PoolId | None = None,
        desktop_id: DesktopId | None = None,
        web_session_id: WebSessionId | None = None,
    ) -> int:
        """Cut every viewer of the tenant that has all the given ids; how many. At least one id must be given."""
        wanted = {
            name: value
            for name, value in (
                ("session_id", session_id),
                ("user_id", user_id),
                ("pool_id", pool_id),
                ("desktop_id", desktop_id),
                ("web_session_id", web_session_id),
            )
            if value is not None
        }
        if not wanted:
            raise ValueError("which viewers? cut_all() takes everybody")
        matching = [
            entry
            for entry in self._entries.values()
            if entry.live.tenant_id == tenant_id
            and all(getattr(entry.live, name) == value for name, value in wanted.items())
        ]
        return self._cut(matching, reason)

    def cut_all(self, reason: EndReason) -> int:
        """Cut every viewer here: this gateway is stopping."""
        return self._cut(list(self._entries.values()), reason)

    def cut_viewer(self, live: LiveSession, reason: EndReason) -> bool:
        """Cut exactly this viewer, if it is still the one."""
        entry = self._entries.get(live.session_id)
        return entry is not None and entry.live.number == live.number and self._cut([entry], reason) == 1

    async def rejudge(self, decide: Callable[[LiveSession], Answer]) -> tuple[Rejudged, ...]:
        """Ask again for every viewer: cut what is no longer allowed, hand on changed terms.

        A judgement that fails cuts (a deny and an alarm): nobody stays on because the rules could not be read. Yields
        to the event loop between batches, so thousands of viewers delay no relay.
        """
        findings: list[Rejudged] = []
        for count, entry in enumerate(tuple(self._entries.values()), start=1):
            if self._entries.get(entry.live.session_id) is entry and (found := self._judge(entry, decide)):
                findings.append(found)
            if count % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        return tuple(findings)

    def _judge(self, entry: _Entry, decide: Callable[[LiveSession], Answer]) -> Rejudged | None:
        try:
            answer = decide(entry.live)
            decision, grant = answer.decision, answer.decision.grant
            if grant is None:
                self._cut([entry], EndReason.POLICY)
                return Rejudged(entry.live, Verdict.CUT, decision.reason)
            before = entry.live
            entry.live = replace(before, grant=grant, basis=answer.basis)
            same_terms = grant.obligations == before.grant.obligations
            if same_terms and not rests_otherwise(before.basis, answer.basis):
                return None
            entry.regrant(grant)
            return Rejudged(entry.live, Verdict.CHANGED, None)
        except Exception:  # noqa: BLE001 - fail closed: whatever went wrong in the judgement, the viewer is cut
            _log.exception("judgement failed", session_id=entry.live.session_id, code=ReasonCode.POLICY_ERROR)
            self._cut([entry], EndReason.POLICY)
            return Rejudged(entry.live, Verdict.CUT, None)

    def _cut(self, entries: list[_Entry], reason: EndReason) -> int:
        # First out of the table, then pulled: a viewer is cut once, with the first reason.
        for entry in entries:
            if self._entries.get(entry.live.session_id) is entry:
                del self._entries[entry.live.session_id]
        for entry in entries:
            _pull(entry, reason)
        return len(entries)


def _pull(entry: _Entry, reason: EndReason) -> None:
    try:
        entry.cut(reason)
    except Exception:  # noqa: BLE001 - one broken callback must not keep the other viewers on
        _log.exception("cut failed", session_id=entry.live.session_id, reason=reason)
