"""Turns of one address: so many at once, in order, and nothing left over afterwards."""

import asyncio

from auth.names import source_of
from auth.turns import Turns


async def test_one_source_has_so_many_turns_and_others_have_their_own() -> None:
    turns, go_on = Turns(2, 5.0), asyncio.Event()
    running: list[str] = []
    most = 0

    async def work(source: str) -> bool:
        nonlocal most
        async with turns.taken(source) as has_turn:
            running.append(source)
            most = max(most, running.count("busy"))
            await go_on.wait()
            running.remove(source)
            return has_turn

    crowd = [asyncio.ensure_future(work("busy")) for _ in range(10)]
    await asyncio.sleep(0)
    other = asyncio.ensure_future(work("other"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert sorted(running) == ["busy", "busy", "other"]
    go_on.set()
    assert all(await asyncio.gather(*crowd, other))
    assert most == 2
    assert turns.lines == 0


async def test_whoever_waits_too_long_goes_without_and_takes_nobodys_place() -> None:
    turns = Turns(1, 0.02)
    async with turns.taken("a") as first:
        assert first
        for _ in range(3):
            async with turns.taken("a") as late:
                assert not late
    async with turns.taken("a") as again:
        assert again
    assert turns.lines == 0


async def test_who_is_cancelled_in_the_queue_leaves_it() -> None:
    turns = Turns(1, 5.0)

    async def queue() -> None:
        async with turns.taken("a"):
            pass

    async with turns.taken("a"):
        waiting = asyncio.ensure_future(queue())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with turns.taken("a") as has_turn:
        assert has_turn
    assert turns.lines == 0


def test_one_line_is_one_source_however_many_ipv6_addresses_it_has() -> None:
    assert source_of("2001:db8:1:2:3::4") == source_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert source_of("2001:db8:1:3::1") != source_of("2001:db8:1:2::1")
    assert source_of("203.0.113.7") == source_of("::ffff:203.0.113.7") == "203.0.113.7"
    assert source_of("") == ""
