"""What a directory tells us about people, as values. Pure.

Counterpart: `auth/ldap_directory.py` produces them from LDAP; the login service turns them into audit events and into
the one coarse answer that a person sees. The exact reason (`Cause`) is for the audit only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from common.secret import Secret


@dataclass(frozen=True, slots=True)
class Cause:
    """Exactly what the directory said. `code` is the LDAP result code, None when it never answered."""

    text: str
    code: int | None = None
    sub_code: str | None = None
    """Active Directory's hexadecimal sub-code, or `ppolicy:<n>`."""
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A person's entry. `key` is the immutable attribute; the DN and the rest may change under it."""

    key: str
    dn: str
    username: str
    display_name: str
    department: str | None = None
    employment: str | None = None
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verified:
    """The password is right and nothing stands against a login."""

    entry: Entry
    cause: Cause


@dataclass(frozen=True, slots=True)
class PasswordExpired:
    """The password was right but is too old."""

    entry: Entry
    can_change: bool
    cause: Cause


@dataclass(frozen=True, slots=True)
class MustChange:
    """The password was right and was set by somebody else: the directory wants a new one first."""

    entry: Entry
    can_change: bool
    cause: Cause


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """Right entry, wrong password."""

    entry: Entry
    cause: Cause


@dataclass(frozen=True, slots=True)
class Locked:
    """Locked by the directory after too many tries, or by an administrator."""

    entry: Entry
    cause: Cause


@dataclass(frozen=True, slots=True)
class Disabled:
    """Disabled, expired as an account, or not allowed at this hour or place by the directory."""

    entry: Entry
    cause: Cause


@dataclass(frozen=True, slots=True)
class NotFound:
    """No entry, or more than one, answers to the name; or the name can be nobody's."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No directory server gave an answer in time: this says nothing about the password."""

    cause: Cause


DirectoryResult = Verified | PasswordExpired | MustChange | WrongPassword | Locked | Disabled | NotFound | Unreachable
LookupResult = Verified | Disabled | NotFound | Unreachable


@dataclass(frozen=True, slots=True)
class Found:
    """Exactly one entry answers to the typed name. Groups are not read yet."""

    entry: Entry
    cause: Cause


@dataclass(frozen=True, slots=True)
class Changed:
    """The directory took the new password."""

    cause: Cause


class ChangeRefusal(StrEnum):
    """Why the directory did not take a new password; the person may know."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_SIMPLE = "too_simple"
    USED_BEFORE = "used_before"
    TOO_YOUNG = "too_young"
    NOT_ALLOWED = "not_allowed"
    """The directory lets nobody change it this way."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChangeRefused:
    """The directory did not take the new password."""

    reason: ChangeRefusal
    cause: Cause


ChangeResult = Changed | ChangeRefused | Unreachable


@dataclass(frozen=True, slots=True)
class Budget:
    """The moment (monotonic seconds) at which all directory work of one login must have ended."""

    deadline: float


class Directory(Protocol):
    """Where people and their passwords are. No method raises for anything that a directory can do."""

    def budget(self) -> Budget:
        """A fresh time budget for one login."""
        ...

    async def find(self, username: str, budget: Budget | None = None) -> Found | NotFound | Unreachable:
        """The one entry that answers to a typed name."""
        ...

    async def verify(self, entry: Entry | None, password: Secret[str], budget: Budget | None = None) -> DirectoryResult:
        """Try the password. None does the same work for nobody and answers NotFound, so that time tells nothing."""
        ...

    async def authenticate(self, username: str, password: Secret[str]) -> DirectoryResult:
        """`find` and `verify` within one budget."""
        ...

    async def lookup(self, key: str) -> LookupResult:
        """A known person's entry and groups as they are now."""
        ...

    async def everyone(self) -> tuple[Entry, ...] | Unreachable:
        """All people who may sign in, with their groups."""
        ...

    async def change_password(self, entry: Entry, old: Secret[str], new: Secret[str]) -> ChangeResult:
        """Set a new password with the old one as proof."""
        ...

    async def ready(self) -> bool:
        """Does any server answer?"""
        ...

    @property
    def answers(self) -> int:
        """How often any server said anything, so far."""
        ...

    @property
    def suspect(self) -> bool:
        """Is any server believed to have failed? Asks nobody."""
        ...

    async def silent_everywhere(self) -> bool:
        """Ask every server now: did nothing at all come back from any of them? A refusal is an answer."""
        ...

    async def start(self) -> None:
        """Begin to watch failed servers."""
        ...

    async def close(self) -> None:
        """End all connections and threads."""
        ...
