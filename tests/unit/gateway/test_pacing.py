"""Requests of one person: a burst, then a pace; others are not touched, and memory is bounded."""

import pytest

from common.errors import Throttled
from gateway import pacing
from gateway.pacing import BURST, PER_SECOND, RequestPace
from tests.support.clock import FakeClock


async def test_a_burst_then_a_pace_for_each() -> None:
    clock = FakeClock()
    pace = RequestPace(clock)
    for _ in range(BURST):
        await pace.count("mallory")
    with pytest.raises(Throttled) as refused:
        await pace.count("mallory")
    assert refused.value.retry_after_seconds == 1
    await pace.count("others")
    clock.advance(1)
    for _ in range(int(PER_SECOND)):
        await pace.count("mallory")
    with pytest.raises(Throttled):
        await pace.count("mallory")


async def test_invented_names_take_no_memory_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "_REMEMBERED", 10)
    pace = RequestPace(FakeClock())
    for number in range(1000):
        await pace.count(f"cookie-{number}")
    assert len(pace._paces) == 10
