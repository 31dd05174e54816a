"""The directory over LDAP: finds people, tries passwords, reads groups, changes passwords.

Counterpart: implements `auth/directory.py` for the login service. Blocking work runs in threads of its own (never the
process's default threads, which a hung directory would use up), and every login has one deadline: whatever a server
does, the answer comes at the end of the budget at the latest. Names are escaped into filters; a login needs exactly
one matching entry.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar

import ldap
from ldap.controls.ppolicy import PasswordPolicyControl
from ldap.filter import escape_filter_chars

from auth.directory import (
    Budget,
    Cause,
    ChangeRefusal,
    ChangeRefused,
    ChangeResult,
    DirectoryResult,
    Disabled,
    Entry,
    Found,
    LookupResult,
    NotFound,
    Unreachable,
    Verified,
    WrongPassword,
)
from auth.ldap_account import expired_filter
from auth.ldap_groups import binary_filter_value, groups_of, groups_of_all, is_active_directory
from auth.ldap_outcome import ABOUT_THE_PERSON, bind_accepted, bind_refused, cause_of
from auth.ldap_password import ChangeWay, change_as_person, change_as_service, change_unicode_pwd
from auth.ldap_pool import AllUnreachable, Attributes, Connection, Kind, LdapPool, read_root
from auth.ldap_tls import TlsPump, client_context
from auth.names import normalise_username
from auth.settings import LdapSettings
from common.clock import Clock
from common.log import get_logger
from common.secret import Secret
from common.tasks import TaskScope

T = TypeVar("T")

MAX_PASSWORD_CHARS: Final = 1_024
_GRACE_SECONDS: Final = 0.25
"""Beyond the deadline, for a thread to hand over its answer."""
_NOBODY_RDN: Final = "cn=kakehashi-nobody"
_EXPIRED_FOR_PERSON: Final = ChangeRefused(
    ChangeRefusal.NOT_ALLOWED, Cause("expired: the directory no longer lets the person in to change it")
)

_log = get_logger(__name__)


class LdapDirectory:
    """See `auth.directory.Directory`."""

    def __init__(self, settings: LdapSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        context = client_context(settings)
        self._pump = TlsPump(context, plain_on_loopback=settings.insecure_loopback_test)
        self._pool = LdapPool(settings, self._pump)
        self._threads = ThreadPoolExecutor(settings.worker_threads, "ldap")
        self._probe_thread = ThreadPoolExecutor(1, "ldap-probe")
        self._silence_threads = ThreadPoolExecutor(len(settings.servers), "ldap-silence")
        self._tasks = TaskScope()
        self._closed = False
        self._active_directory: dict[str, bool] = {}

    async def start(self) -> None:
        """See `Directory.start`."""
        self._tasks.spawn(self._watch(), name="directory probe")

    async def close(self) -> None:
        """See `Directory.close`."""
        self._closed = True
        await self._tasks.close()
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "ldap-close") as closer:
            await loop.run_in_executor(closer, self._close)

    def budget(self) -> Budget:
        """See `Directory.budget`."""
        return Budget(time.monotonic() + self._settings.login_timeout_seconds)

    async def find(self, username: str, budget: Budget | None = None) -> Found | NotFound | Unreachable:
        """See `Directory.find`."""
        name = normalise_username(username)
        if name is None:
            return NotFound(Cause("not a possible user name"))
        return await self._in_thread(Kind.SERVICE, lambda c, s: self._find(c, s, name), budget)

    async def verify(self, entry: Entry | None, password: Secret[str], budget: Budget | None = None) -> DirectoryResult:
        """See `Directory.verify`."""
        budget = budget or self.budget()
        given = password.reveal()
        if not _possible(given) or len(given) > MAX_PASSWORD_CHARS:
            impossible = Cause("empty or impossible password")  # never sent: an empty one would bind as anonymous
            return NotFound(impossible) if entry is None else WrongPassword(entry, impossible)
        subject = entry or Entry("", self._settings.decoy_dn or f"{_NOBODY_RDN},{self._settings.base_dn}", "", "")
        result = await self._in_thread(Kind.BIND, lambda c, s: self._bind(c, s, subject, given), budget)
        if entry is None:
            return result if isinstance(result, Unreachable) else NotFound(Cause("no such user"))
        if isinstance(result, Verified):
            return await self._in_thread(Kind.SERVICE, lambda c, s: self._complete(c, s, entry), budget)
        return result

    async def authenticate(self, username: str, password: Secret[str]) -> DirectoryResult:
        """See `Directory.authenticate`."""
        budget = self.budget()
        found = await self.find(username, budget)
        if isinstance(found, Unreachable):
            return found
        result = await self.verify(found.entry if isinstance(found, Found) else None, password, budget)
        return found if isinstance(found, NotFound) and isinstance(result, NotFound) else result

    async def lookup(self, key: str) -> LookupResult:
        """See `Directory.lookup`."""

        def look(connection: Connection, endpoint: str) -> LookupResult:
            found = self._search_one(connection, endpoint, f"({self._settings.key_attribute}={self._key_value(key)})")
            return self._complete(connection, endpoint, found.entry) if isinstance(found, Found) else found

        return await self._in_thread(Kind.SERVICE, look, None)

    async def everyone(self) -> tuple[Entry, ...] | Unreachable:
        """All people who may sign in, with their groups: for what a declaration would change. No disabled ones."""

        def look(connection: Connection, endpoint: str) -> tuple[Entry, ...]:
            s = self._settings
            enabled = "".join(f"(!{ended})" for ended in self._ended(connection, endpoint).values())
            found = connection.search_all(s.base_dn, f"(&{s.user_filter}{enabled})", self._attributes())
            entries = [entry for dn, values in found if (entry := self._entry(dn, values)) is not None]
            groups = groups_of_all(connection, s, [entry.dn for entry in entries])
            return tuple(replace(entry, groups=groups[entry.dn]) for entry in entries)

        return await self._in_thread(Kind.SERVICE, look, None)

    async def change_password(self, entry: Entry, old: Secret[str], new: Secret[str]) -> ChangeResult:
        """See `Directory.change_password`."""
        before, after = old.reveal(), new.reveal()
        who = self._settings.password_change
        if who == "none":
            return ChangeRefused(ChangeRefusal.NOT_ALLOWED, Cause("password_change is none"))
        if not _possible(before) or not _possible(after):
            return ChangeRefused(ChangeRefusal.TOO_SHORT, Cause("empty or impossible password"))
        if len(after) > MAX_PASSWORD_CHARS:
            return ChangeRefused(ChangeRefusal.TOO_LONG, Cause("longer than we accept"))

        async def change(kind: Kind, way: ChangeWay) -> ChangeResult | None:
            return await self._in_thread(kind, lambda c, s: way(c, s, entry.dn, before, after), None, once=True)

        if await self._in_thread(Kind.SERVICE, self._kind_of_server, None) is True:
            return await change(Kind.SERVICE, change_unicode_pwd) or _EXPIRED_FOR_PERSON
        result = await change(Kind.BIND, change_as_person)
        if result is None and who == "service":
            result = await change(Kind.SERVICE, change_as_service)
        return result or _EXPIRED_FOR_PERSON

    async def ready(self) -> bool:
        """See `Directory.ready`."""
        result = await self._in_thread(Kind.SERVICE, read_root, None)  # an open connection proves nothing
        return not isinstance(result, Unreachable)

    @property
    def answers(self) -> int:
        """See `Directory.answers`."""
        return self._pool.answers

    @property
    def suspect(self) -> bool:
        """See `Directory.suspect`."""
        return not self._pool.all_closed

    async def silent_everywhere(self) -> bool:
        """See `Directory.silent_everywhere`. Threads of its own: a rush of logins is no outage of the directory."""
        if self._closed:
            return False
        loop, before = asyncio.get_running_loop(), self._pool.answers
        asked = (
            loop.run_in_executor(self._silence_threads, self._pool.is_silent, place)
            for place in range(len(self._settings.servers))
        )
        return all(await asyncio.gather(*asked)) and self._pool.answers == before

    async def examine(self) -> tuple[str, int] | Unreachable:
        """For the doctor: what kind of directory this is, and 1 when a person can be read, else 0."""

        def look(connection: Connection, endpoint: str) -> tuple[str, int]:
            kind = "Active Directory" if self._kind_of_server(connection, endpoint) else "LDAP directory"
            s = self._settings
            try:
                found = connection.search(s.base_dn, ldap.SCOPE_SUBTREE, s.user_filter, [s.key_attribute], size_limit=1)
            except ldap.SIZELIMIT_EXCEEDED:  # there are more than the one we asked for
                return kind, 1
            except ldap.NO_SUCH_OBJECT:
                return kind, 0
            return kind, int(any(self._key_text(values) is not None for _dn, values in found))

        return await self._in_thread(Kind.SERVICE, look, None)

    # -- blocking parts, in worker threads

    def _find(self, connection: Connection, endpoint: str, name: str) -> Found | NotFound:
        self._kind_of_server(connection, endpoint)
        attribute = self._settings.user_attribute
        return self._search_one(connection, endpoint, f"({attribute}={escape_filter_chars(name)})")

    def _search_one(self, connection: Connection, endpoint: str, condition: str) -> Found | NotFound:
        s = self._settings
        try:
            found = connection.search(
                s.base_dn, ldap.SCOPE_SUBTREE, f"(&{s.user_filter}{condition})", self._attributes(), size_limit=2
            )
        except (ldap.SIZELIMIT_EXCEEDED, ldap.NO_SUCH_OBJECT) as error:
            return NotFound(cause_of(error, endpoint))
        if len(found) != 1:
            return NotFound(Cause(f"{len(found)} entries match, exactly one must", 0, None, endpoint))
        entry = self._entry(*found[0])
        if entry is None:
            return NotFound(Cause(f"the entry shows no {s.key_attribute}", 0, None, endpoint))
        return Found(entry, Cause("found", 0, None, endpoint))

    def _attributes(self) -> list[str]:
        s = self._settings
        return [
            s.key_attribute,
            s.user_attribute,
            s.display_name_attribute,
            s.department_attribute,
            s.employment_attribute,
        ]

    def _entry(self, dn: str, values: Attributes) -> Entry | None:
        """A person without groups; None when the entry shows no key."""
        s = self._settings
        key = self._key_text(values)
        if key is None:
            return None
        username = _text(values, s.user_attribute) or dn
        return Entry(
            key=key,
            dn=dn,
            username=username,
            display_name=_text(values, s.display_name_attribute) or username,
            department=_text(values, s.department_attribute),
            employment=_text(values, s.employment_attribute),
        )

    def _bind(self, connection: Connection, endpoint: str, entry: Entry, password: str) -> DirectoryResult:
        change = self._settings.password_change
        try:
            controls = connection.bind(entry.dn, password, [PasswordPolicyControl()])
        except ABOUT_THE_PERSON as error:
            by_us = change == "service" or (change == "user" and any(self._active_directory.values()))
            return bind_refused(entry, error, endpoint, can_change=by_us)
        return bind_accepted(entry, controls, endpoint, can_change=change != "none")

    def _complete(self, connection: Connection, endpoint: str, entry: Entry) -> Verified | Disabled:
        """Groups, and whether the entry is disabled."""
        for cause, condition in self._ended(connection, endpoint).items():
            if connection.search(entry.dn, ldap.SCOPE_BASE, condition, ["1.1"]):
                return Disabled(entry, Cause(cause, 0, None, endpoint))
        is_ad = self._kind_of_server(connection, endpoint)
        groups = groups_of(connection, self._settings, entry.dn, active_directory=is_ad)
        return Verified(replace(entry, groups=groups), Cause("bind accepted", 0, None, endpoint))

    def _ended(self, connection: Connection, endpoint: str) -> dict[str, str]:
        """Filters of entries that may not sign in, by what the audit says of them."""
        ended = {}
        if self._settings.disabled_filter:
            ended["matches disabled_filter"] = self._settings.disabled_filter
        if self._kind_of_server(connection, endpoint):
            ended["accountExpires is over"] = expired_filter(self._clock.now())
        return ended

    def _kind_of_server(self, connection: Connection, endpoint: str) -> bool:
        if endpoint not in self._active_directory:
            self._active_directory[endpoint] = is_active_directory(connection)
        return self._active_directory[endpoint]

    def _key_text(self, values: Attributes) -> str | None:
        for name, found in values.items():
            if name.lower() == self._settings.key_attribute.lower() and found:
                return _guid(found[0]) if self._binary_key else found[0].decode("utf-8", "replace")
        return None

    def _key_value(self, key: str) -> str:
        return binary_filter_value(uuid.UUID(key).bytes_le) if self._binary_key else escape_filter_chars(key)

    @property
    def _binary_key(self) -> bool:
        return self._settings.key_attribute.lower() == "objectguid"

    # -- between loop and threads

    async def _in_thread(
        self, kind: Kind, work: Callable[[Connection, str], T], budget: Budget | None, *, once: bool = False
    ) -> T | Unreachable:
        """Run blocking work; Unreachable when no server answered by the deadline, also when no thread was free."""
        deadline = (budget or self.budget()).deadline

        def run() -> T | Unreachable:
            try:
                return self._pool.run(kind, work, deadline, once=once)
            except AllUnreachable as error:
                return Unreachable(Cause(str(error), error.code))
            except ldap.LDAPError as error:
                return Unreachable(cause_of(error, "directory"))

        if self._closed:
            return Unreachable(Cause("the directory client is closed"))
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic()) + _GRACE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except TimeoutError:
            return Unreachable(Cause("no directory thread answered in time"))

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._settings.probe_seconds)
            if self._pool.all_closed:
                continue
            try:
                await loop.run_in_executor(self._probe_thread, self._pool.probe)
            except Exception:  # noqa: BLE001 - without probes a failed server would stay out for ever
                _log.exception("directory probe failed")

    def _close(self) -> None:
        self._pump.close()  # first: it ends what worker threads wait for
        self._pool.close()
        self._threads.shutdown(cancel_futures=True)
        self._probe_thread.shutdown(cancel_futures=True)
        self._silence_threads.shutdown(cancel_futures=True)


def _possible(password: str) -> bool:
    """Not empty (that would be an anonymous bind), no NUL, and something that UTF-8 can carry."""
    return bool(password) and "\0" not in password and not any("\ud800" <= c <= "\udfff" for c in password)


def _guid(value: bytes) -> str:
    """objectGUID as text; its first three fields are little-endian."""
    return str(uuid.UUID(bytes_le=value))


def _text(values: Attributes, attribute: str) -> str | None:
    for name, found in values.items():
        if name.lower() == attribute.lower() and found:
            return found[0].decode("utf-8", "replace") or None
    return None
