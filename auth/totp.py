"""TOTP codes (RFC 6238: SHA-1, 6 digits, 30 s). Pure: the only module that knows pyotp; time comes in as a datetime.

Counterpart: `auth/second_factors.py` keeps the last accepted counter in the database and accepts only a higher one,
because pyotp by itself accepts the same code twice.
"""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
DIGITS: Final = 6
WINDOW: Final = 1
"""Steps before and after the current one that are accepted, for clocks that are off."""
NEVER: Final = -1
"""The last counter of somebody who has not used a code yet."""


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """Right and newer than the last one; store `counter` by compare-and-set before believing it."""

    counter: int


@dataclass(frozen=True, slots=True)
class CodeReused:
    """Right, but this code or a newer one was accepted before."""


@dataclass(frozen=True, slots=True)
class CodeWrong:
    """Not a code of this moment."""


CodeResult = CodeAccepted | CodeReused | CodeWrong


def new_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32(32)


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """The otpauth URI that authenticator apps read from the QR code."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)


def counter_at(moment: datetime) -> int:
    """The number of the 30-second step."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_at(secret: str, counter: int) -> str:
    """The code of a step."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).generate_otp(counter)


def check(secret: str, typed: str, now: datetime, last_counter: int) -> CodeResult:
    """Compare with every step in the window, all in constant time; full-width digits and spaces are fine."""
    code = normalise_code(typed)
    if code is None:
        return CodeWrong()
    centre = counter_at(now)
    steps = range(max(0, centre - WINDOW), centre + WINDOW + 1)
    matching = [step for step in steps if hmac.compare_digest(code_at(secret, step), code)]
    if not matching:
        return CodeWrong()
    return CodeAccepted(matching[-1]) if matching[-1] > last_counter else CodeReused()


def normalise_code(typed: str) -> str | None:
    """Six ASCII digits, or None."""
    if len(typed) > 4 * DIGITS:
        return None
    code = "".join(unicodedata.normalize("NFKC", typed).split())
    return code if len(code) == DIGITS and code.isascii() and code.isdigit() else None
