"""Connections to the directory servers: pooled, leased to one thread at a time, failing over in the settings' order.

Counterpart: `auth/ldap_directory.py` runs its searches and binds through `LdapPool.run` in worker threads. Two kinds of
connection are kept apart: SERVICE ones stay bound as the service account, BIND ones carry whoever tried a password last
and are never used to read. One libldap object used by two threads answers one person with another's identity, hence the
exclusive lease. Blocking code; never call it on the event loop.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

import ldap
from ldap.controls import RequestControl
from ldap.controls.libldap import SimplePagedResultsControl
from ldap.ldapobject import SimpleLDAPObject

from auth.ldap_breaker import Breaker
from auth.ldap_tls import ConnectFailed, TlsPump
from auth.settings import LdapEndpoint, LdapSettings
from common.log import get_logger

T = TypeVar("T")
Controls = Sequence[RequestControl]
Attributes = dict[str, list[bytes]]

_log = get_logger(__name__)

_TROUBLE: Final = (
    ldap.TIMEOUT,
    ldap.SERVER_DOWN,
    ldap.CONNECT_ERROR,
    ldap.BUSY,
    ldap.UNAVAILABLE,
    ldap.OPERATIONS_ERROR,
    ldap.PROTOCOL_ERROR,
    ldap.DECODING_ERROR,
    ldap.LOCAL_ERROR,
)
"""What speaks of the server or the line and not of the person: discard the connection, ask the next server."""
_SILENCE: Final = (ldap.TIMEOUT, ldap.SERVER_DOWN, ldap.CONNECT_ERROR)
"""Those of them that are no answer at all: nothing came back."""


class AllUnreachable(Exception):
    """No server gave an answer in time. `code` is the last LDAP code, None when none got that far."""

    def __init__(self, text: str, code: int | None = None) -> None:
        super().__init__(text)
        self.code = code


class _ServerTrouble(Exception):
    def __init__(self, text: str, code: int | None = None, *, silent: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.silent = silent


class Kind(StrEnum):
    """What a connection may be used for."""

    SERVICE = "service"
    BIND = "bind"


class Connection:
    """One LDAP connection of one thread; every call ends by the deadline of its lease."""

    def __init__(self, handle: SimpleLDAPObject, answered: Callable[[], None]) -> None:
        self._handle = handle
        self._answered = answered
        self.deadline = 0.0
        self.idle_since = 0.0
        self.reused = False

    def bind(self, dn: str, password: str, controls: Controls = ()) -> Sequence[Any]:
        """Simple bind; the response controls. Raises ldap.LDAPError; ValueError for what would be an anonymous bind."""
        if not dn or not password or "\0" in password:
            raise ValueError("an empty DN or password would be an anonymous bind, which always succeeds")
        return self._answer(self._handle.simple_bind(dn, password, serverctrls=list(controls)))[1]

    def search(
        self, base: str, scope: int, filter_text: str, attributes: Sequence[str], size_limit: int = 0
    ) -> list[tuple[str, Attributes]]:
        """Entries (referrals left out). Raises ldap.LDAPError."""
        message = self._handle.search_ext(base, scope, filter_text, list(attributes), sizelimit=size_limit)
        return [(dn, values) for dn, values, *_ in self._answer(message)[0] or () if dn is not None]

    def search_all(
        self, base: str, filter_text: str, attributes: Sequence[str], page: int = 500
    ) -> list[tuple[str, Attributes]]:
        """Every entry below `base`, page by page (RFC 2696; AD gives at most 1,000 at once). Raises ldap.LDAPError."""
        control = SimplePagedResultsControl(True, size=page, cookie="")
        entries: list[tuple[str, Attributes]] = []
        while True:
            message = self._handle.search_ext(
                base, ldap.SCOPE_SUBTREE, filter_text, list(attributes), serverctrls=[control]
            )
            found, answered = self._answer(message)
            entries += [(dn, values) for dn, values, *_ in found or () if dn is not None]
            pages = [c for c in answered if isinstance(c, SimplePagedResultsControl)]
            if not pages or not pages[0].cookie:
                return entries
            control.cookie = pages[0].cookie

    def change_password(self, dn: str, old: str, new: str, controls: Controls) -> Sequence[Any]:
        """Password Modify (RFC 3062); the response controls. Raises ldap.LDAPError."""
        return self._answer(self._handle.passwd(dn, old, new, serverctrls=list(controls)))[1]

    def modify(self, dn: str, changes: list[tuple[int, str, list[bytes]]]) -> None:
        """Change an entry. Raises ldap.LDAPError."""
        self._answer(self._handle.modify_ext(dn, changes))

    def close(self) -> None:
        """Unbind; the pump tears the rest down."""
        try:
            self._handle.unbind_ext()
        except ldap.LDAPError as error:
            _log.debug("unbind failed", reason=type(error).__name__)

    def _answer(self, message: int) -> tuple[Any, Sequence[Any]]:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ldap.TIMEOUT({"desc": "no time left"})
        try:
            _type, found, _message, controls = self._handle.result3(message, all=1, timeout=left)
        except ldap.LDAPError as error:
            if not isinstance(error, _SILENCE):
                self._answered()
            raise
        self._answered()
        return found, controls


@dataclass
class _ServerState:
    """One endpoint with its state; `idle` holds connections that nobody leases."""

    endpoint: LdapEndpoint
    breaker: Breaker = field(default_factory=Breaker)
    idle: dict[Kind, list[Connection]] = field(default_factory=lambda: {kind: [] for kind in Kind})

    @property
    def name(self) -> str:
        return f"{self.endpoint.host}:{self.endpoint.port}"


class LdapPool:
    """All servers of one directory."""

    def __init__(self, settings: LdapSettings, pump: TlsPump) -> None:
        self._settings = settings
        self._pump = pump
        self._servers = [_ServerState(endpoint) for endpoint in settings.servers]
        self._lock = threading.Lock()
        self._closed = False
        self._answers = 0

    @property
    def answers(self) -> int:
        """How many messages came from any server since the start. Equal counts: nobody said anything in between."""
        with self._lock:
            return self._answers

    def is_silent(self, place: int) -> bool:
        """Ask one server (by its place in the settings) now, whatever is believed of it: did nothing come back?

        A refusal of any kind, also of our certificate or service account, is an answer.
        """
        deadline = time.monotonic() + self._settings.server_timeout_seconds
        try:
            self._run_on(self._servers[place], Kind.SERVICE, read_root, deadline, once=True)
        except _ServerTrouble as error:
            return error.silent
        except ldap.LDAPError:
            return False
        return False

    def run(self, kind: Kind, work: Callable[[Connection, str], T], deadline: float, *, once: bool = False) -> T:
        """Do `work(connection, server name)` on the first server that works, within `deadline` (monotonic seconds).

        A connection that went stale in the pool is replaced without blaming the server. With `once` nothing is tried
        twice (for what must not happen twice). Raises AllUnreachable, or the LDAPError that answers the work itself.
        """
        trouble = _ServerTrouble("all directory servers failed a moment ago")
        for state in self._candidates():
            if time.monotonic() >= deadline:
                break
            try:
                return self._run_on(state, kind, work, deadline, once)
            except _ServerTrouble as error:
                trouble = error
                if once:
                    break
        raise AllUnreachable(str(trouble), trouble.code)

    def probe(self) -> None:
        """Try every failed server once; for the background thread."""
        for state in self._servers:
            with self._lock:
                known_good = state.breaker.closed
            if not known_good:
                deadline = time.monotonic() + self._settings.server_timeout_seconds
                try:
                    self._run_on(state, Kind.SERVICE, read_root, deadline, once=True)
                    _log.info("directory server is back", endpoint=state.name)
                except _ServerTrouble as error:
                    _log.debug("directory server still fails", endpoint=state.name, reason=str(error))

    @property
    def all_closed(self) -> bool:
        """True while no server is known to have failed."""
        with self._lock:
            return all(state.breaker.closed for state in self._servers)

    def close(self) -> None:
        """Close idle connections; leased ones close when they come back."""
        with self._lock:
            self._closed = True
            idle = [c for state in self._servers for kind in Kind for c in state.idle[kind]]
            for state in self._servers:
                state.idle = {kind: [] for kind in Kind}
        for connection in idle:
            connection.close()

    def _candidates(self) -> list[_ServerState]:
        now = time.monotonic()
        with self._lock:
            return [s for s in self._servers if s.breaker.closed] or [
                s for s in self._servers if s.breaker.admit_trial(now)
            ]

    def _run_on(
        self, state: _ServerState, kind: Kind, work: Callable[[Connection, str], T], deadline: float, once: bool
    ) -> T:
        began = time.monotonic()
        deadline = min(deadline, began + self._settings.server_timeout_seconds)
        try:
            try:
                with self._lease(state, kind, deadline, fresh=once) as connection:
                    answer = work(connection, state.name)
            except _StaleConnection:
                with self._lease(state, kind, deadline, fresh=True) as connection:
                    answer = work(connection, state.name)
        except _TROUBLE as error:
            raise self._blame(state, began, _text(error), _code(error), isinstance(error, _SILENCE)) from error
        except ConnectFailed as error:
            raise self._blame(state, began, str(error), None, error.silent) from error
        except ldap.LDAPError:
            self._praise(state)  # it answered, if only with a no
            raise
        self._praise(state)
        return answer

    def _praise(self, state: _ServerState) -> None:
        with self._lock:
            state.breaker.succeeded()

    def _blame(self, state: _ServerState, began: float, text: str, code: int | None, silent: bool) -> _ServerTrouble:
        with self._lock:
            first = state.breaker.closed
            now = time.monotonic()
            state.breaker.failed(now, now - began)
        if first:
            _log.warning("directory server failed", endpoint=state.name, reason=text, code=code)
        return _ServerTrouble(f"{state.name}: {text}", code, silent=silent)

    @contextmanager
    def _lease(self, state: _ServerState, kind: Kind, deadline: float, *, fresh: bool) -> Iterator[Connection]:
        """Exclusive use of one connection. INVARIANT: a connection is either in `idle` or in exactly one lease."""
        connection = (None if fresh else self._take(state, kind)) or self._open(state, kind, deadline)
        connection.deadline = deadline
        try:
            yield connection
        except _TROUBLE as error:
            connection.close()
            if connection.reused and isinstance(error, ldap.SERVER_DOWN):
                raise _StaleConnection from error
            raise
        except ldap.LDAPError:
            self._give_back(state, kind, connection)  # an answer about the person; the connection is sound
            raise
        except BaseException:
            connection.close()
            raise
        self._give_back(state, kind, connection)

    def _take(self, state: _ServerState, kind: Kind) -> Connection | None:
        oldest = time.monotonic() - self._settings.idle_recycle_seconds
        stale = []
        try:
            with self._lock:
                while state.idle[kind]:
                    connection = state.idle[kind].pop()
                    if connection.idle_since >= oldest:
                        connection.reused = True
                        return connection
                    stale.append(connection)
            return None
        finally:
            for connection in stale:
                connection.close()

    def _give_back(self, state: _ServerState, kind: Kind, connection: Connection) -> None:
        with self._lock:
            if not self._closed:
                connection.idle_since = time.monotonic()
                state.idle[kind].append(connection)
                return
        connection.close()

    def _open(self, state: _ServerState, kind: Kind, deadline: float) -> Connection:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ldap.TIMEOUT({"desc": "no time left"})
        socket = self._pump.connect(state.endpoint, left)
        handle = SimpleLDAPObject("ldap://directory", fileno=socket.detach())
        # Per connection and explicit: libldap would otherwise take these from ldap.conf, ldaprc and LDAP* variables.
        handle.set_option(ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3)
        handle.set_option(ldap.OPT_REFERRALS, 0)
        handle.set_option(ldap.OPT_DEREF, ldap.DEREF_NEVER)
        handle.set_option(ldap.OPT_SIZELIMIT, 0)
        handle.set_option(ldap.OPT_TIMELIMIT, 0)
        handle.set_option(ldap.OPT_TIMEOUT, left)
        handle.set_option(ldap.OPT_NETWORK_TIMEOUT, left)
        connection = Connection(handle, self._count_answer)
        connection.deadline = deadline
        if kind is Kind.SERVICE:
            self._bind_service(connection)
        return connection

    def _count_answer(self) -> None:
        with self._lock:
            self._answers += 1

    def _bind_service(self, connection: Connection) -> None:
        """A refused service account is our trouble and must never read as somebody's wrong password."""
        try:
            connection.bind(self._settings.bind_dn, self._settings.bind_password.reveal())
        except _TROUBLE:
            connection.close()
            raise
        except ldap.LDAPError as error:
            connection.close()
            raise ConnectFailed(f"the service account was refused: {_text(error)} ({_code(error)})") from error


class _StaleConnection(Exception):
    """A pooled connection had been closed by the server meanwhile."""


def read_root(connection: Connection, _server: str) -> None:
    """The least that a server answers to anybody."""
    connection.search("", ldap.SCOPE_BASE, "(objectClass=*)", ["supportedLDAPVersion"])


def _code(error: ldap.LDAPError) -> int | None:
    return error.args[0].get("result") if error.args and isinstance(error.args[0], dict) else None


def _text(error: ldap.LDAPError) -> str:
    facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return " ".join(str(facts[part]) for part in ("desc", "info") if facts.get(part)) or type(error).__name__
