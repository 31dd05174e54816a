"""How often one may guess: pure rules. Counterpart: `auth/gate.py` applies them to counters in the database.

A try is charged before it is checked and cleared when it was right, so that a hundred guesses at once count as a
hundred. Per account and address: some free tries, then waits that double. Per account from everywhere: we stop before
the directory would lock the account, or strangers could lock staff out of everything in an emergency; and strangers may
not use up all of these tries, or they could still keep staff off the gateway from the addresses they always use.

One address that tries one or two passwords of everybody has a count of its own. It is generous, for offices and
shelters have one address for all, and it holds up nobody who signed in from there lately.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from auth.settings import ThrottleSettings


class Scope(StrEnum):
    """What is counted."""

    PAIR = "pair"
    """Passwords for one typed name from one address."""
    ACCOUNT = "account"
    """Passwords for one account from anywhere."""
    STRANGERS = "strangers"
    """Those of them from addresses where the account's owner has not signed in lately."""
    KNOWN = "known"
    """No counter but a mark: the owner signed in from this address."""
    ADDRESS = "address"
    """Wrong passwords from one address, whatever the account."""
    TOTP = "totp"
    """Authenticator codes of one person: the password was right, so the address does not matter."""
    RECOVERY = "recovery"
    ACTIVATION = "activation"
    """Codes of a vouched temporary authenticator."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Wrong tries in a row. `blocked_until` None: the next try is free."""

    failures: int
    last_at: datetime
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` wrong tries, then a wait of `first_wait` that grows by `factor` up to `longest_wait`."""

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    factor: int
    forget_after: timedelta
    fade: timedelta | None = None
    """While tries are free, one is forgotten each time this has passed: a rate, where many people share a counter."""


def rule_for(scope: Scope, settings: ThrottleSettings) -> Rule | None:
    """The rule of a scope; None where the settings ask for none."""
    if scope in (Scope.ACCOUNT, Scope.STRANGERS):
        tries = settings.account_tries if scope is Scope.ACCOUNT else settings.stranger_tries
        window = timedelta(seconds=settings.directory_lockout_window_seconds)
        return Rule(tries, window, window, 1, window) if tries is not None else None
    first_wait = timedelta(seconds=settings.first_wait_seconds)
    if scope is Scope.ADDRESS:
        free, window = settings.address_tries, timedelta(seconds=settings.address_window_seconds)
        longest = timedelta(seconds=settings.address_longest_wait_seconds)
        return Rule(free, min(first_wait, longest), longest, 2, window, window / free) if free else None
    return Rule(
        free=settings.free_tries,
        first_wait=first_wait,
        longest_wait=timedelta(seconds=settings.longest_wait_seconds),
        factor=2,
        forget_after=timedelta(seconds=settings.forget_after_seconds),
    )


def charge(counter: Counter | None, rule: Rule, now: datetime) -> tuple[Counter, timedelta | None]:
    """Count one try as wrong until `forgive`: the new counter, and None or how long to wait first.

    A try that must wait is not counted. A counter whose last try is `forget_after` ago starts again from nothing.
    """
    counter = _faded(counter, rule, now)
    if counter is not None and (wait := waiting(counter, now)) is not None:
        return counter, wait
    failures = (counter.failures if counter else 0) + 1
    if failures >= rule.free:
        return Counter(failures, now, now + wait_after(failures, rule)), None
    return Counter(failures, counter.last_at if counter and rule.fade else now), None


def waiting(counter: Counter | None, now: datetime) -> timedelta | None:
    """How long a try must wait now; counts nothing."""
    if counter is None or counter.blocked_until is None or now >= counter.blocked_until:
        return None
    return counter.blocked_until - now


def _faded(counter: Counter | None, rule: Rule, now: datetime) -> Counter | None:
    """What is left of a counter. With `fade`, `last_at` moves by whole steps, so that no part of one is lost."""
    if counter is None or now - counter.last_at >= rule.forget_after:
        return None
    if rule.fade is None or counter.failures >= rule.free:
        return counter
    steps = max(0, (now - counter.last_at) // rule.fade)
    left = counter.failures - steps
    return replace(counter, failures=left, last_at=counter.last_at + steps * rule.fade) if left > 0 else None


def forgive(counter: Counter | None) -> Counter | None:
    """Take one charge back (nothing was learned from the try, e.g. the directory was down)."""
    if counter is None or counter.failures <= 1:
        return None
    return Counter(counter.failures - 1, counter.last_at, None)


def wait_after(failures: int, rule: Rule) -> timedelta:
    """The wait after this many wrong tries in a row (at least `rule.free`)."""
    growth: int = rule.factor ** min(failures - rule.free, 40)
    return min(rule.first_wait * growth, rule.longest_wait)
