"""Recovery codes: ten codes to print and keep, each good for one login without the authenticator.

Counterpart: `auth/second_factors.py` stores the hashes. A code has 80 random bits, so it cannot be found from its hash
by guessing and a plain SHA-256 is enough; a slow hash would only protect secrets that people choose. The hash covers
tenant and person, so a row copied to somebody else is worth nothing.
"""

import hashlib
import json
import secrets
import unicodedata
from typing import Final

from common.ids import TenantId, UserId

COUNT: Final = 10
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 signs, none that look alike (I, O, 0, 1)
_CHARS: Final = 16
_ACTIVATION_CHARS: Final = 12
_MAX_TYPED: Final = 64


def new_codes() -> tuple[str, ...]:
    """Ten codes as shown to the person, `XXXX-XXXX-XXXX-XXXX`."""
    return tuple(_grouped("".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))) for _ in range(COUNT))


def normalise(typed: str) -> str | None:
    """A code as stored, from whatever a person types: small or full-width letters, any dashes or spaces. Or None."""
    return _normalised(typed, _CHARS)


def code_hash(code: str, tenant_id: TenantId, user_id: UserId) -> str:
    """What is stored of a code (as `normalise` gives it)."""
    return hashlib.sha256(json.dumps(["recovery", tenant_id, user_id, code]).encode()).hexdigest()


def new_activation_code() -> str:
    """To be told over the telephone and typed within minutes, `XXXX-XXXX-XXXX`: 60 random bits."""
    return _grouped("".join(secrets.choice(_ALPHABET) for _ in range(_ACTIVATION_CHARS)))


def normalise_activation(typed: str) -> str | None:
    """Like `normalise`, for an activation code."""
    return _normalised(typed, _ACTIVATION_CHARS)


def activation_hash(code: str, tenant_id: TenantId, user_id: UserId) -> str:
    """What is stored of an activation code; it cannot pass for a recovery code."""
    return hashlib.sha256(json.dumps(["activation", tenant_id, user_id, code]).encode()).hexdigest()


def _normalised(typed: str, chars: int) -> str | None:
    if len(typed) > _MAX_TYPED:
        return None
    plain = "".join(c for c in unicodedata.normalize("NFKC", typed).upper() if c.isalnum())
    return plain if len(plain) == chars and set(plain) <= set(_ALPHABET) else None


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
