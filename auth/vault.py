"""Keeps the old password between the login step and its change, readable only together with the browser's cookie.

Counterpart: `auth/login.py` stores the result in the login's row, where it lives ten minutes at most. The key comes
from the login cookie, of which we store only a hash: neither the database nor the key ring nor a backup of both opens
it.
"""

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common.ids import UserId
from common.secret import Secret

_NONCE_BYTES: Final = 12


def seal(password: Secret[str], cookie: str, user_id: UserId) -> str:
    """AES-256-GCM under a key from the cookie, bound to the person."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_key(cookie)).encrypt(nonce, password.reveal().encode(), user_id.encode())
    return base64.b64encode(nonce + sealed).decode()


def open_sealed(sealed: str, cookie: str, user_id: UserId) -> Secret[str] | None:
    """None when cookie or person are other ones, or the value was altered."""
    raw = base64.b64decode(sealed)
    try:
        plain = AESGCM(_key(cookie)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], user_id.encode())
    except InvalidTag:
        return None
    return Secret(plain.decode())


def _key(cookie: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kakehashi login password").derive(cookie.encode())
