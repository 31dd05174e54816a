"""Reads done together: one reading for all who ask meanwhile, and never one that began before they asked."""

import asyncio
from collections.abc import Sequence

import pytest

from common.together import MOST, Together


class Table:
    """What is written, and how often it was read. A reading takes its sight first and answers when it is let."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.readings: list[list[str]] = []
        self.let = asyncio.Event()
        self.together: Together[str, str] = Together(self.read)

    async def read(self, keys: Sequence[str]) -> dict[str, str]:
        self.readings.append(list(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        await self.let.wait()
        return found


async def test_whoever_asks_sees_all_that_was_written_before() -> None:
    table = Table()
    table.rows["cookie"] = "signed in"
    early = asyncio.ensure_future(table.together.get("cookie"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert table.readings == [["cookie"]]
    del table.rows["cookie"]  # revoked, while the first reading is under way
    late = [asyncio.ensure_future(table.together.get(key)) for key in ("cookie", "other", "cookie")]
    await asyncio.sleep(0)
    table.let.set()
    assert await early == "signed in"
    assert await asyncio.gather(*late) == [None, None, None]
    assert table.readings == [["cookie"], ["cookie", "other"]]


async def test_many_are_read_a_number_at_a_time() -> None:
    table = Table()
    table.let.set()
    table.rows = {str(number): f"row {number}" for number in range(2 * MOST)}
    found = await asyncio.gather(*(table.together.get(key) for key in table.rows))
    assert found == list(table.rows.values())
    assert [len(keys) for keys in table.readings] == [MOST, MOST]


async def test_one_who_goes_away_takes_nobody_along() -> None:
    table = Table()
    table.rows["a"] = "row"
    gone, stays = (asyncio.ensure_future(table.together.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    table.let.set()
    assert await stays == "row"
    assert gone.cancelled()


async def test_what_a_reading_raises_reaches_all_who_asked_and_nobody_later() -> None:
    fails = True

    async def read(keys: Sequence[str]) -> dict[str, str]:
        if fails:
            raise OSError("away")
        return dict.fromkeys(keys, "row")

    together = Together(read)
    found = await asyncio.gather(*(together.get(key) for key in "aab"), return_exceptions=True)
    assert [type(one) for one in found] == [OSError] * 3
    fails = False
    assert await together.get("a") == "row"


async def test_the_end_of_a_reading_leaves_nobody_waiting() -> None:
    table = Table()
    waiting = asyncio.ensure_future(table.together.get("a"))
    await asyncio.sleep(0)
    [reading] = [task for task in asyncio.all_tasks() if task.get_name() == "reads together"]
    await asyncio.sleep(0)
    later = asyncio.ensure_future(table.together.get("b"))
    await asyncio.sleep(0)
    reading.cancel()
    for one in (waiting, later):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(one, 5)
