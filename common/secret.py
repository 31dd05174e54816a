"""Secrets in memory and at rest.

`Secret` keeps a value out of logs and tracebacks; `Keyring` seals values for the database with AES-256-GCM. The
associated data binds a sealed value to its purpose, its owner and its key, so a row copied to another user is refused.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from common.errors import ConfigError, SecretUnreadable

T = TypeVar("T", str, bytes)
_HIDDEN: Final = "<secret>"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class Secret(Generic[T]):
    """A value that prints as `<secret>`; `reveal()` is the only way to it, and easy to grep for."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def reveal(self) -> T:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        """Constant-time, and only against another `Secret`."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (v if isinstance(v, bytes) else v.encode() for v in (self._value, other.reveal()))
        return secrets.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # a secret is no dictionary key

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = core_schema.bytes_schema() if source is Secret[bytes] else core_schema.str_schema()
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, Secret) else cls(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: _HIDDEN),
            json_schema_input_schema=inner,
        )


class Keyring:
    """Named 256-bit keys: the newest seals, all open. Sealed form: `v1.<key id>.<base64url of nonce + ciphertext>`."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if current not in keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise ConfigError("the key ring needs 32-byte keys and a current one among them")
        self._ciphers = {kid: AESGCM(key) for kid, key in keys.items()}
        self._current = current

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the key file (JSON, mode 0600), or make one with one fresh key.

        Raises ConfigError when others can read it or it is damaged.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls._load(path)
        except OSError as error:
            raise ConfigError(f"key file {path} cannot be created: {error.strerror}") from error
        kid = secrets.token_hex(4)
        key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"current": kid, "keys": {kid: key}}, file)
            file.flush()
            os.fsync(file.fileno())
        return cls._load(path)

    @classmethod
    def _load(cls, path: Path) -> Self:
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"key file {path} can be read by others: chmod 600 it and consider its keys as known")
            stored = json.loads(path.read_text("ascii"))
            keys = {str(kid): base64.b64decode(key, validate=True) for kid, key in stored["keys"].items()}
            return cls(keys, str(stored["current"]))
        except OSError as error:
            raise ConfigError(f"key file {path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"key file {path} is damaged: restore it from the backup") from error

    def seal(self, plain: bytes, *, purpose: str, owner: str) -> str:
        """Encrypt for storage, bound to what it is (`purpose`) and whose it is (`owner`)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, _binding(purpose, owner, self._current))
        return f"v1.{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, purpose: str, owner: str) -> bytes:
        """Decrypt what `seal` made. Raises SecretUnreadable, never saying which check failed."""
        try:
            version, kid, body = sealed.split(".")
            raw = base64.urlsafe_b64decode(body)
            if version != "v1":
                raise SecretUnreadable(f"unknown sealed form {version[:8]!r}")
            return self._ciphers[kid].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _binding(purpose, owner, kid))
        except (ValueError, KeyError, InvalidTag) as error:
            raise SecretUnreadable(f"sealed value for {purpose} cannot be opened") from error


def _binding(purpose: str, owner: str, kid: str) -> bytes:
    """Associated data; JSON so that no choice of names can make two bindings equal."""
    return json.dumps([purpose, owner, kid]).encode()
