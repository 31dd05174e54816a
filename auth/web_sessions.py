"""Signed-in browsers, kept on our side: the browser has a random cookie, we have its hash.

Counterpart: `auth/store/sessions.py`; the gateway sets the cookie. A session ends at its idle or absolute limit, by
log-out, or when it is revoked; every end is published, so that whatever hangs on it is cut.
"""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeGuard

from auth.models import TOPIC_WEB_SESSION_ENDED, Client, Identity, WebSession
from auth.rows import SessionRow
from auth.settings import WebSessionSettings
from auth.store.sessions import SessionStore
from common.bus import EventBus
from common.clock import Clock
from common.ids import UserId, WebSessionId, new_id, new_token, token_hash
from common.secret import Secret

SEEN_STEP: Final = timedelta(seconds=30)
"""Activity is written down at most this often."""
_MAX_COOKIE_CHARS: Final = 128


class WebSessions:
    """Of one tenant."""

    def __init__(self, store: SessionStore, settings: WebSessionSettings, bus: EventBus, clock: Clock) -> None:
        self._store = store
        self._idle = timedelta(seconds=settings.idle_seconds)
        self._absolute = timedelta(seconds=settings.absolute_seconds)
        self._bus = bus
        self._clock = clock

    def new(
        self,
        user_id: UserId,
        client: Client,
        *,
        password_at: datetime,
        totp_at: datetime | None,
        degraded: bool = False,
        temporary_until: datetime | None = None,
    ) -> tuple[SessionRow, Secret[str]]:
        """A session to be stored, and its cookie. Nobody has it until the row is in.

        `temporary_until`: the session rests on a temporary authenticator and ends with it at the latest.
        """
        now, token = self._clock.now(), new_token()
        end = now + self._absolute
        row = SessionRow(
            id=WebSessionId(new_id("web")),
            token_hash=token_hash(token),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=min(end, temporary_until) if temporary_until else end,
            password_at=password_at,
            totp_at=totp_at,
            source=client.address,
            user_agent_label=client.user_agent_label,
            degraded=degraded,
            temporary_factor=temporary_until is not None,
        )
        return row, Secret(token)

    async def by_cookie(self, cookie: str | None, *, activity: bool = True) -> WebSession | None:
        """The live session of a cookie. Counts as activity, but for what a page asks by itself."""
        if not is_possible_cookie(cookie):
            return None
        found = await self._store.session_by_token(token_hash(cookie))
        return await self._seen(found) if activity else self._live(found)

    async def get(self, session_id: WebSessionId) -> WebSession | None:
        """A live session with its person as now known; no activity."""
        return self._live(await self._store.session(session_id))

    async def touch(self, session_id: WebSessionId) -> bool:
        """Activity outside HTTP. False when the session is over."""
        return await self._seen(await self._store.session(session_id)) is not None

    async def of_person(self, user_id: UserId) -> list[WebSession]:
        """Live sessions, newest first."""
        found = [self._live(pair) for pair in await self._store.sessions_of(user_id)]
        return [session for session in found if session is not None]

    async def rotate(
        self, session: WebSession, cookie: str, *, temporary_until: datetime | None = None
    ) -> tuple[WebSession, Secret[str]] | None:
        """A new cookie after a fresh second factor; the old one dies. None when another request was first."""
        token, now = new_token(), self._clock.now()
        end = min(session.expires_at, temporary_until) if temporary_until else None
        if not await self._store.rotate_session(session.id, token_hash(cookie), token_hash(token), now, end):
            return None
        renewed = await self.get(session.id)
        return None if renewed is None else (renewed, Secret(token))

    async def end_by_cookie(self, cookie: str | None) -> WebSession | None:
        """Log-out: the session that ended, None when there was none."""
        if not is_possible_cookie(cookie):
            return None
        found = await self._store.session_by_token(token_hash(cookie))
        if found is None or not await self.end(found[0].id, found[0].user_id):
            return None
        return found[0].joined(found[1], self._idle)

    async def end(self, session_id: WebSessionId, user_id: UserId) -> bool:
        """End one of this person's sessions; false when it is not theirs."""
        if not await self._store.drop_session(session_id, user_id):
            return False
        await self._bus.publish(TOPIC_WEB_SESSION_ENDED, session_id)
        return True

    async def end_all(self, user_id: UserId) -> list[WebSessionId]:
        """End all of a person."""
        return await self._published(await self._store.drop_sessions_of(user_id))

    async def end_temporary(self, user_id: UserId) -> list[WebSessionId]:
        """End those of a person that rest on a temporary authenticator."""
        return await self._published(await self._store.drop_temporary(user_id))

    async def sweep(self) -> list[WebSessionId]:
        """End what ran out."""
        return await self._published(await self._store.drop_expired(self._clock.now(), self._idle))

    async def _published(self, ended: list[WebSessionId]) -> list[WebSessionId]:
        for session_id in ended:
            await self._bus.publish(TOPIC_WEB_SESSION_ENDED, session_id)
        return ended

    async def _seen(self, found: tuple[SessionRow, Identity] | None) -> WebSession | None:
        session = self._live(found)
        if found is None or session is None:
            return None
        now = self._clock.now()
        if now - session.last_seen_at >= SEEN_STEP:
            await self._store.see_session(session.id, now)
            return replace(found[0], last_seen_at=now).joined(found[1], self._idle)
        return session

    def _live(self, found: tuple[SessionRow, Identity] | None) -> WebSession | None:
        if found is None:
            return None
        session = found[0].joined(found[1], self._idle)
        now = self._clock.now()
        return session if now < session.idle_expires_at and now < session.expires_at else None


def is_possible_cookie(cookie: str | None) -> TypeGuard[str]:
    """Could we have made it? Anything else is nobody's and not worth a look into the database."""
    return bool(cookie) and cookie is not None and cookie.isascii() and len(cookie) <= _MAX_COOKIE_CHARS


def csrf_token(cookie: str) -> str:
    """Only who has the cookie can make it; nothing is stored."""
    return hmac.digest(cookie.encode(), b"kakehashi csrf", "sha256").hex()


def csrf_matches(cookie: str, presented: str | None) -> bool:
    """Constant time; a missing token never matches."""
    return presented is not None and hmac.compare_digest(
        csrf_token(cookie).encode(), presented.encode("utf-8", "surrogatepass")
    )
