"""How far the people of a declaration have come, counted once for all who ask at the same time.

Counterparts: `gateway.handlers.followed` and its pages, which ask every 15 seconds; `gateway.notices.followed`, which
counts. Counting 3,000 people takes tens of milliseconds, so it is done off the event loop, which carries live desktops.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from broker.duties.book import DutyBook
from broker.sessions import SessionService
from broker.states import SessionState
from common.ids import TenantId
from common.together import Together
from gateway.notices import followed
from gateway.notices.followed import Follow
from gateway.notices.service import NoticeService
from policy.bcp.model import Declaration

_Asked = tuple[str, frozenset[str]]
"""Which declaration, and who signed it."""


class FollowUp:
    """Of one tenant."""

    def __init__(
        self, tenant_id: TenantId, notices: NoticeService, sessions: SessionService, book: Callable[[], DutyBook]
    ) -> None:
        self._tenant_id: Final = tenant_id
        self._notices: Final = notices
        self._sessions: Final = sessions
        self._book: Final = book
        self._together: Final = Together(self._read)

    async def people(self, declaration: Declaration) -> tuple[Follow, ...]:
        """Everybody whom the declaration is for."""
        signers = frozenset(signed.username for signed in declaration.signatures)
        return await self._together.get((declaration.id, signers)) or ()

    async def _read(self, asked: Sequence[_Asked]) -> Mapping[_Asked, tuple[Follow, ...]]:
        sessions = await self._sessions.list_all(self._tenant_id)
        working = {session.username for session in sessions if session.state is SessionState.ACTIVE}
        book, found = self._book(), {}
        for declaration_id, signers in asked:
            told = await self._notices.reach(declaration_id)
            found[declaration_id, signers] = await asyncio.to_thread(
                followed.follow, told, book, working=working, signers=signers
            )
        return found
