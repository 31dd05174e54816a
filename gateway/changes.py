"""Tells open pages that something changed: names of topics, never what changed. Pages read it through the normal API.

Counterparts: `gateway/handlers/changes.py` writes a stream to a page, `web_client/src/app/changes.ts` listens. Fed from
the event bus, so pages hear of what another node did, and in process by policy, declarations and register once this
node has taken a change in: a page that asks at once must get the new answer. Must not look at rights.

Every page that hears asks. What concerns many is therefore told a number of pages at a time: relays must not stand
still for thousands of questions. Pages whose list of desktops would now be another one come first (`note` has what they
show); of the rest those whose people have no desktop open here. To find them soon, one page of each kind of people is
looked at, and where there is news the others of that kind. That is only an order: in the end every page is told.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Hashable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from auth.models import TOPIC_USER_CHANGED, TOPIC_WEB_SESSION_ENDED, WebSession
from broker.chronicle import TOPIC as TOPIC_SESSION
from common.bus import MISSED, EventBus
from common.clock import Clock
from common.errors import ErrorCode, KakehashiError
from common.ids import PoolId, SessionId, UserId, WebSessionId
from common.log import get_logger
from common.tasks import TaskScope
from policy.bcp.model import TOPIC as TOPIC_BCP

PER_BROWSER: Final = 4
"""Over HTTP/1.1 a browser opens six connections to one host for all its windows: two stay free for requests."""
PER_PERSON: Final = 16
AT_ONCE: Final = 10
PAUSE_SECONDS: Final = 0.012
"""Between two lots of pages that have something new to show. A busy event loop makes the pause longer by itself."""
REST_PAUSE_SECONDS: Final = 0.05
"""For the others: at most 200 pages a second. That takes about half a core: 2.6 to 3.7 ms each, on a busy machine."""
LOOKED_AT_ONCE: Final = 10
"""Pages whose new answer is worked out in one go, before the event loop does other work."""

OwnerOf = Callable[[SessionId], Awaitable[UserId | None]]
AtWork = Callable[[], Container[UserId]]
Allowed = frozenset[PoolId]
_log = get_logger(__name__)


class Topic(StrEnum):
    """What a page may have to read again."""

    DESKTOPS = "desktops"
    """What the person may use, and the notices that concern them."""
    SESSIONS = "sessions"
    """The person's own desktop sessions."""
    BCP = "bcp"
    """Declarations and plans: only for those who may see the console."""
    RECEIPTS = "receipts"
    """Who was told of a declaration, has read it and can work: only for the console, and never many a second."""


_CONSOLE: Final = frozenset({Topic.BCP, Topic.RECEIPTS})


class ChangeStream:
    """One page. A topic that was not yet told waits once, however often it changes: nothing can pile up."""

    def __init__(
        self,
        session: WebSession,
        topics: frozenset[Topic],
        connected: Callable[[], bool],
        *,
        until: float,
        clock: Clock,
    ) -> None:
        self.user_id: Final = session.identity.user_id
        self.web_session_id: Final = session.id
        self.connected: Final = connected
        self._topics: Final = topics
        self._until: Final = until
        self._clock: Final = clock
        self._waiting: set[Topic] = set()
        self._wake: Final = asyncio.Event()
        self._ended = False

    def tell(self, topic: Topic) -> None:
        """The topic changed."""
        if topic in self._topics:
            self._waiting.add(topic)
            self._wake.set()

    def end(self) -> None:
        """Nothing more will be told; the page comes again if it still may."""
        self._ended = True
        self._wake.set()

    async def next(self, within: float) -> tuple[Topic, ...] | None:
        """The topics that changed, none after `within` seconds of quiet; None at the end of the stream, which is at the
        latest that of the web session."""
        left = self._until - self._clock.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(within, left))):
                await self._wake.wait()
        if self._ended or self._clock.monotonic() >= self._until:
            return None
        self._wake.clear()
        told = tuple(sorted(self._waiting))
        self._waiting.clear()
        return told


class _Shown(NamedTuple):
    allowed: Allowed
    again: Callable[[], Allowed]
    kind: Hashable


class _Unlooked:
    """Pages whose new answer is not worked out yet, by the kind of their people."""

    def __init__(self) -> None:
        self._kind_of: Final[dict[ChangeStream, Hashable]] = {}
        self._kinds: Final[dict[Hashable, dict[ChangeStream, None]]] = {}

    def __len__(self) -> int:
        return len(self._kind_of)

    def add(self, stream: ChangeStream, kind: Hashable) -> None:
        self.discard(stream)
        self._kind_of[stream] = kind
        self._kinds.setdefault(kind, {})[stream] = None

    def discard(self, stream: ChangeStream) -> None:
        if stream in self._kind_of:
            kind = self._kind_of.pop(stream)
            del self._kinds[kind][stream]
            if not self._kinds[kind]:
                del self._kinds[kind]

    def next(self) -> tuple[ChangeStream, Hashable]:
        """One of the kind that is looked at now, and the kind; it is taken out."""
        kind, streams = next(iter(self._kinds.items()))
        stream = next(iter(streams))
        self.discard(stream)
        return stream, kind

    def turn_away_from(self, kind: Hashable) -> None:
        """There was no news: the others of this kind, if any are left, can wait."""
        if kind in self._kinds:
            self._kinds[kind] = self._kinds.pop(kind)


class Changes:
    """The streams of this node. `start` before use; `close` when the gateway stops."""

    def __init__(self, bus: EventBus, clock: Clock, owner_of: OwnerOf, at_work: AtWork) -> None:
        """`owner_of`: whose a session is. `at_work`: who has a desktop open on this node."""
        self._bus: Final = bus
        self._clock: Final = clock
        self._owner_of: Final = owner_of
        self._at_work: Final = at_work
        self._streams: Final[set[ChangeStream]] = set()
        self._of_person: Final[dict[UserId, set[ChangeStream]]] = {}
        self._browsers: Final[Counter[WebSessionId]] = Counter()
        self._shown: Final[dict[WebSessionId, _Shown]] = {}
        self._due: Final[dict[ChangeStream, set[Topic]]] = {}
        self._first: Final[dict[ChangeStream, None]] = {}
        self._unlooked: Final = _Unlooked()
        self._more: Final = asyncio.Event()
        self._scope: Final = TaskScope()
        self._closed = False

    def __len__(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def start(self) -> None:
        """Listen to the bus."""
        self._bus.subscribe(TOPIC_BCP, self._declarations_changed)
        self._bus.subscribe(TOPIC_SESSION, self._session_changed)
        self._bus.subscribe(TOPIC_USER_CHANGED, self._person_changed)
        self._bus.subscribe(TOPIC_WEB_SESSION_ENDED, self._signed_out)
        self._scope.spawn(self._tell_in_turn(), name="changes")

    async def close(self) -> None:
        """End all streams (their pages come again, to this or another node), and take no more."""
        self._closed = True
        if self._streams:
            _log.info("change streams ended", count=len(self._streams))
        self._end_all()
        await self._scope.close()

    @contextlib.contextmanager
    def stream(
        self, session: WebSession, *, console: bool, connected: Callable[[], bool] = lambda: True
    ) -> Iterator[ChangeStream]:
        """A page's stream while the block runs. `console`: the person may see declarations. The first that is told is
        everything: what happened while the page had no stream, it could not hear.

        Raises KakehashiError(BUSY): the browser or the person has too many, or the gateway stops.
        """
        self._check_limits(session)
        topics = frozenset(Topic) if console else frozenset(Topic) - _CONSOLE
        left = (session.expires_at - self._clock.now()).total_seconds()
        opened = ChangeStream(session, topics, connected, until=self._clock.monotonic() + left, clock=self._clock)
        self._streams.add(opened)
        own = self._of_person.setdefault(opened.user_id, set())
        own.add(opened)
        self._browsers[session.id] += 1
        self._tell_soon([opened], Topic)
        self._first[opened] = None
        try:
            yield opened
        finally:
            self._streams.discard(opened)
            own.discard(opened)
            if not own:
                self._of_person.pop(opened.user_id, None)
            self._forget(opened)
            self._browsers[session.id] -= 1
            if not self._browsers[session.id]:
                del self._browsers[session.id]
                self._shown.pop(session.id, None)

    def note(self, browser: WebSessionId, allowed: Allowed, again: Callable[[], Allowed], kind: Hashable) -> None:
        """What the pages of a browser show as allowed. `again` works it out anew from memory: so little may be known
        there that it is good for an order only. `kind`: equal for people to whom mostly the same applies."""
        if browser in self._browsers:
            self._shown[browser] = _Shown(allowed, again, kind)

    def tell_all(self, *topics: Topic) -> None:
        """Something changed that may concern everybody."""
        at_work = self._at_work()
        streams = sorted(self._streams, key=lambda stream: stream.user_id in at_work)
        if Topic.DESKTOPS in topics:
            for stream in streams:
                if shown := self._shown.get(stream.web_session_id):
                    self._unlooked.add(stream, shown.kind)
        self._tell_soon(streams, topics)

    def tell(self, users: Iterable[UserId], topic: Topic) -> None:
        """Something of these people changed."""
        streams = [stream for user in users for stream in self._of_person.get(user, ())]
        self._first.update(dict.fromkeys(streams))
        self._tell_soon(streams, [topic])

    def _tell_soon(self, streams: Iterable[ChangeStream], topics: Iterable[Topic]) -> None:
        for stream in streams:
            self._due.setdefault(stream, set()).update(topics)
        self._more.set()

    async def _tell_in_turn(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._due:
                while self._unlooked and len(self._first) < AT_ONCE:
                    self._look_at_some()
                    await asyncio.sleep(0)
                urgent = bool(self._first)
                for stream in list(islice(self._first or self._due, AT_ONCE)):
                    for topic in self._due.get(stream, ()):
                        stream.tell(topic)
                    self._forget(stream)
                await asyncio.sleep(PAUSE_SECONDS if urgent else REST_PAUSE_SECONDS)

    def _look_at_some(self) -> None:
        for _ in range(min(LOOKED_AT_ONCE, len(self._unlooked))):
            stream, kind = self._unlooked.next()
            if self._has_news(stream):
                self._first[stream] = None
            else:
                self._unlooked.turn_away_from(kind)

    def _has_news(self, stream: ChangeStream) -> bool:
        shown = self._shown.get(stream.web_session_id)
        if shown is None:
            return False
        try:
            return shown.again() != shown.allowed
        except KakehashiError:  # nothing can be decided now, which is news as well
            return True
        except Exception as error:  # noqa: BLE001 - it is only an order: of one page's fault no other may go untold
            _log.error("what a page would show cannot be worked out", exc_info=error)
            return True

    def _forget(self, stream: ChangeStream) -> None:
        self._due.pop(stream, None)
        self._first.pop(stream, None)
        self._unlooked.discard(stream)

    def _check_limits(self, session: WebSession) -> None:
        own = self._of_person.get(session.identity.user_id, ())
        # aiohttp notices a page that has gone only when it writes: a page loaded again must not be refused for that.
        for stream in own:
            if not stream.connected():
                stream.end()
        live = [one for one in own if one.connected()]
        browser = sum(one.web_session_id == session.id for one in live)
        if self._closed or browser >= PER_BROWSER or len(live) >= PER_PERSON:
            raise KakehashiError("too many change streams, or stopping", code=ErrorCode.BUSY)

    def _end_all(self) -> None:
        for stream in self._streams:
            stream.end()

    async def _declarations_changed(self, _key: str) -> None:
        """A step on any node. What is in force here follows a moment later and is told by `tell_all`."""
        self.tell_all(Topic.BCP)

    async def _session_changed(self, key: str) -> None:
        if key == MISSED:
            self._end_all()
        elif self._streams and (owner := await self._owner_of(SessionId(key))) is not None:
            self.tell({owner}, Topic.SESSIONS)

    async def _person_changed(self, key: str) -> None:
        """Groups, and with them roles, may be others: the page comes again and is asked who it is."""
        if key == MISSED:
            self._end_all()
        for stream in self._of_person.get(UserId(key), ()):
            stream.end()

    async def _signed_out(self, key: str) -> None:
        for stream in self._streams:
            if key in (MISSED, stream.web_session_id):
                stream.end()
