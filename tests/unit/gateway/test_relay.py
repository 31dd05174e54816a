"""The relay's small decisions that need no connection. The rest is tests/integration/gateway/test_relay_*.py."""

import asyncio

from broker.models import EndReason
from gateway.relay import CLOSE_CODES, Relay, RelayReason
from gateway.rfb.handshake import TargetLogin
from gateway.rfb.rules import MAX_CLIPBOARD_CHARS, RfbRules
from gateway.rfb.target_filter import MAX_TAIL
from gateway.target_connection import (
    COPIED_READ_BYTES,
    POOL,
    READ_BYTES,
    ROOM,
    SPARE_BUFFERS,
    ReadPool,
    TargetConnection,
    Turns,
)
from gateway.websocket import MAX_HEADER
from policy.model import CLIPBOARD_CAP_CHARS
from tests.support.clock import FakeClock


def test_every_reason_has_a_close_code_and_the_brokers_spelling() -> None:
    assert set(CLOSE_CODES) == set(RelayReason)
    assert set(RelayReason) - set(EndReason) == {RelayReason.VIEWER_LEFT}


def test_a_relay_counts_from_zero_and_from_now(clock: FakeClock) -> None:
    relay = Relay(rules=RfbRules(), clock=clock)
    assert (relay.bytes_up, relay.bytes_down, relay.last_input_at) == (0, 0, clock.monotonic())


def test_a_relay_may_be_told_things_before_it_runs(clock: FakeClock) -> None:
    relay = Relay(rules=RfbRules(), clock=clock)
    relay.set_rules(RfbRules(view_only=True))
    relay.cut("admin", 4410)
    relay.viewer_sent(b"anything")
    relay.target_sent(3)
    assert relay.bytes_up == relay.bytes_down == 0


def test_the_pool_leaves_room_for_a_tail_and_a_header() -> None:
    assert ROOM >= MAX_HEADER + MAX_TAIL
    assert len(POOL.body) == READ_BYTES


def test_a_lent_buffer_is_used_again_only_when_it_came_back() -> None:
    pool = ReadPool()
    lent = pool.lend()
    other = pool.view
    assert other is not lent
    assert pool.lend() is other, "not back yet"
    assert pool.view is not lent
    pool.take_back(lent)
    pool.lend()
    assert pool.view is lent
    assert pool.body.obj is lent.obj


def test_the_pool_keeps_few_spare_buffers() -> None:
    pool = ReadPool()
    lent = [pool.lend() for _ in range(SPARE_BUFFERS + 5)]
    for view in lent:
        pool.take_back(view)
    pool.lend()
    again = [pool.lend() for _ in range(SPARE_BUFFERS + 5)]
    assert sum(any(view is old for old in lent) for view in again) == SPARE_BUFFERS


async def test_of_busy_targets_one_is_read_in_each_turn_of_the_event_loop() -> None:
    turns, order = Turns(), list[str]()

    async def somebody_else() -> None:
        for _ in range(4):
            order.append("-")
            await asyncio.sleep(0)

    def again() -> None:
        order.append("a")
        if order.count("a") < 2:
            turns.wait(again)

    for read_on in (again, lambda: order.append("b"), lambda: order.append("c")):
        turns.wait(read_on)
    await somebody_else()
    await asyncio.sleep(0)
    assert "".join(order).strip("-") == "a-b-c-a"


def test_turns_of_an_event_loop_that_is_gone_hold_nobody_up() -> None:
    turns, order = Turns(), list[str]()

    async def wait(name: str, times: int) -> None:
        for _ in range(times):
            turns.wait(lambda: order.append(name))
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(wait("gone", 9))
    loop.close()
    assert len(order) < 9
    asyncio.run(wait("new", 1))
    assert order[-1] == "new"


def test_a_target_that_speaks_before_it_is_asked_is_kept_within_bounds() -> None:
    target = TargetConnection(RfbRules())
    POOL.body[:12] = b"RFB 003.008\n"
    assert len(target.get_buffer(-1)) == COPIED_READ_BYTES
    target.buffer_updated(12)
    assert not target.width


def test_caps_are_clamped_to_what_may_be_held() -> None:
    rules = RfbRules(clipboard_in_chars=10**9, clipboard_out_chars=-5)
    assert rules.cap(inward=True) == MAX_CLIPBOARD_CHARS == CLIPBOARD_CAP_CHARS
    assert rules.cap(inward=False) == 0
    assert rules.clipboard
    assert not RfbRules().clipboard


def test_a_login_prints_no_password() -> None:
    assert "hidden" not in repr(TargetLogin(username="u", password="hidden"))
