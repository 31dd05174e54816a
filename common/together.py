"""Reads that are asked for at the same time, done in one go. Counterparts: stores, for what every open page asks.

Nothing is remembered: a read begins after it was asked for, so whoever asks sees all that was written before. It only
waits for the reading that is under way, and shares the next one with all who ask meanwhile.
"""

from asyncio import Future, get_running_loop, shield
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

from common.tasks import spawn

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 16
"""Keys in one reading: all who asked go on in the same turn of the event loop, which must stay short."""


class Together(Generic[K, V]):
    """One kind of read, by key."""

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """`read` gives what it found for these keys, each once, in one reading."""
        self._read: Final = read
        self._waiting: Final[dict[K, Future[V | None]]] = {}
        self._reading = False

    async def get(self, key: K) -> V | None:
        """What is there now, None when nothing is. Raises what the reading raises."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = get_running_loop().create_future()
        if not self._reading:
            self._reading = True
            spawn(self._read_all(), name="reads together")
        return await shield(answer)  # others may wait for the same

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                await self._read_some({key: self._waiting.pop(key) for key in list(islice(self._waiting, MOST))})
        finally:
            self._reading = False
            for answer in self._waiting.values():  # only when the loop ends
                answer.cancel()
            self._waiting.clear()

    async def _read_some(self, asked: Mapping[K, "Future[V | None]"]) -> None:
        try:
            found = await self._read(list(asked))
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked
            for answer in asked.values():
                answer.set_exception(error)
                answer.exception()  # seen: those who asked may have gone
        except BaseException:
            for answer in asked.values():
                answer.cancel()
            raise
        else:
            for key, answer in asked.items():
                answer.set_result(found.get(key))
