"""When an account of Active Directory ends. Counterpart: `auth/ldap_directory.py` asks. Pure.

Only the expiry, which administrators set: locks and expired passwords are about the next log-in, and AD refuses that
itself. If a lock ended what is running, a stranger's wrong guesses would end people's work.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

_FILETIME_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def expired_filter(now: datetime) -> str:
    """Entries whose `accountExpires` is over: in 100 ns since 1601; 0 and 2^63 - 1 mean never [MS-ADA1]."""
    passed = (now - _FILETIME_EPOCH) // timedelta(microseconds=1) * 10
    return f"(&(accountExpires>=1)(accountExpires<={passed}))"
