"""A step of the wall clock shows at once; what another clock says is right."""

from datetime import UTC, datetime, timedelta

import pytest

from common.drift import Drift

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)


def test_a_clock_that_runs_on_is_right_whatever_time_has_passed() -> None:
    drift = Drift(NOON, 100.0)
    for days in (0, 1, 400):
        passed = timedelta(days=days)
        assert not drift.is_wrong(NOON + passed, 100.0 + passed.total_seconds())


@pytest.mark.parametrize(("step", "wrong"), [(60, False), (61, True), (-60, False), (-61, True), (86_400, True)])
def test_a_step_of_more_than_a_minute_is_wrong(step: int, wrong: bool) -> None:
    drift = Drift(NOON, 100.0)
    assert drift.is_wrong(NOON + timedelta(seconds=10 + step), 110.0) is wrong
    assert drift.right(110.0) == NOON + timedelta(seconds=10)
    assert not drift.is_wrong(NOON + timedelta(seconds=20), 120.0), "stepped back to where it belongs"


def test_another_clock_counts_more_than_how_it_was_at_the_beginning() -> None:
    drift = Drift(NOON, 100.0)
    drift.heard(NOON + timedelta(minutes=5), 110.0)
    assert drift.is_wrong(NOON + timedelta(seconds=10), 110.0)
    assert drift.of(NOON + timedelta(seconds=10), 110.0) == timedelta(seconds=10) - timedelta(minutes=5)
    assert not drift.is_wrong(NOON + timedelta(minutes=5, seconds=30), 140.0)
