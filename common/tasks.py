"""Named, referenced tasks: asyncio keeps only weak references, so a bare create_task can vanish half-done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from common.log import get_logger

T = TypeVar("T")
_live: Final[set[asyncio.Task[Any]]] = set()
_log = get_logger(__name__)


def spawn(coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a task that is kept until done; an exception that nobody awaits is logged under its name."""
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _live.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _live.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task failed", task=task.get_name(), exc_info=error)


class TaskScope:
    """Tasks that end with their owner: `close()` cancels and awaits all that still run."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Like the module's `spawn`, and owned by this scope."""
        task = spawn(coro, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel all, wait for their clean-up; their errors were logged already."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
