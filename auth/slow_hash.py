"""Argon2id (RFC 9106) of passwords: the only module that knows it. Off the event loop and few at a time.

Counterpart: `auth/degraded.py` caches and asks. The hash is for the time without a directory only; passwords are
normally checked by the directory. Whether somebody has a verifier or not, a check does the same work.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from common.secret import Secret

T = TypeVar("T")

MEMORY_KIB: Final = 46 * 1024
PASSES: Final = 2
LANES: Final = 1
"""OWASP asks for 46 MiB and one pass at least."""
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
MOST_WAITING: Final = 40
"""Checks in the queue: whoever came next would wait for seconds, and is told so at once."""


class TooManyWaiting(Exception):
    """More passwords are being checked than can be in reasonable time."""


class SlowHash:
    """Of one gateway: `threads` computations at once take `threads` times 46 MiB."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "argon2")
        self._waiting = 0

    async def make(self, password: Secret[str]) -> str:
        """A verifier in PHC form, with a salt of its own. Raises TooManyWaiting."""
        return await self._run(lambda: _argon2().derive_phc_encoded(_bytes(password)))

    async def matches(self, verifier: str | None, password: Secret[str]) -> bool:
        """Is it this password? None takes as long and is never right. Raises TooManyWaiting."""
        right = await self._run(lambda: _verified(verifier or DECOY, _bytes(password)))
        return right and verifier is not None

    def close(self) -> None:
        """Let running computations end, drop the rest."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise TooManyWaiting
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _argon2() -> Argon2id:
    return Argon2id(
        salt=secrets.token_bytes(SALT_BYTES),
        length=HASH_BYTES,
        iterations=PASSES,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )


def _verified(verifier: str, password: bytes) -> bool:
    try:
        Argon2id.verify_phc_encoded(password, verifier)
    except InvalidKey:
        return False
    return True


def _bytes(password: Secret[str]) -> bytes:
    return password.reveal().encode("utf-8", "surrogatepass")


def _base64(count: int) -> str:
    return base64.b64encode(bytes(count)).decode().rstrip("=")


DECOY: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${_base64(SALT_BYTES)}${_base64(HASH_BYTES)}"
"""Costs what a real one costs; nobody's password."""
