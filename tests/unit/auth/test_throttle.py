"""The rules of throttling, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.settings import ThrottleSettings
from auth.throttle import Counter, Rule, Scope, charge, forgive, rule_for, wait_after, waiting

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def rule(scope: Scope = Scope.PAIR, **over: int) -> Rule:
    found = rule_for(scope, ThrottleSettings(**over))
    assert found is not None
    return found


def test_five_free_then_thirty_seconds_doubling_to_an_hour() -> None:
    assert [wait_after(n, rule()).total_seconds() for n in range(5, 14)] == [
        30, 60, 120, 240, 480, 960, 1920, 3600, 3600,
    ]  # fmt: skip
    assert wait_after(10_000, rule()).total_seconds() == 3600


def test_a_blocked_try_is_not_counted() -> None:
    counter = None
    for _ in range(5):
        counter, wait = charge(counter, rule(), NOW)
        assert wait is None
    again, wait = charge(counter, rule(), NOW + timedelta(seconds=10))
    assert again == counter
    assert wait == timedelta(seconds=20)


def test_old_tries_are_forgotten() -> None:
    old = Counter(9, NOW, NOW + timedelta(seconds=480))
    counter, wait = charge(old, rule(), NOW + timedelta(hours=12))
    assert counter.failures == 1
    assert wait is None


def test_a_clock_set_back_forgives_nothing() -> None:
    counter = Counter(5, NOW, NOW + timedelta(seconds=30))
    _, wait = charge(counter, rule(), NOW - timedelta(hours=2))
    assert wait == timedelta(hours=2, seconds=30)


def test_forgiving_takes_one_charge_back() -> None:
    assert forgive(None) is None
    assert forgive(Counter(1, NOW)) is None
    assert forgive(Counter(6, NOW, NOW + timedelta(seconds=60))) == Counter(5, NOW)


def test_the_account_limit_is_below_the_directorys() -> None:
    assert rule(Scope.ACCOUNT).free == 8
    assert rule(Scope.ACCOUNT, directory_lockout_tries=5).free == 3
    assert rule(Scope.STRANGERS).free == 6
    assert rule(Scope.STRANGERS, directory_lockout_tries=5).free == 1
    assert rule_for(Scope.ACCOUNT, ThrottleSettings(directory_lockout_tries=0)) is None
    with pytest.raises(ValueError, match="lockout_margin"):
        ThrottleSettings(directory_lockout_tries=2)


def test_the_account_counts_until_a_whole_window_is_quiet() -> None:
    """Active Directory restarts its window with every wrong try; so do we."""
    counter, now = None, NOW
    for _ in range(8):
        counter, wait = charge(counter, rule(Scope.ACCOUNT), now)
        assert wait is None
        now += timedelta(minutes=29)
    assert charge(counter, rule(Scope.ACCOUNT), now)[1] == timedelta(minutes=1)


def test_an_address_has_sixty_wrong_passwords_in_a_quarter_of_an_hour_then_waits_to_five_minutes() -> None:
    of_address, counter, now = rule(Scope.ADDRESS), None, NOW
    for _ in range(60):
        counter, wait = charge(counter, of_address, now)
        assert wait is None
    waits = []
    for _ in range(6):
        counter, wait = charge(counter, of_address, now)
        assert wait is not None
        assert waiting(counter, now) == wait
        waits.append(wait.total_seconds())
        now += wait
        counter, wait = charge(counter, of_address, now)
        assert wait is None
    assert waits == [30, 60, 120, 240, 300, 300]
    assert charge(counter, of_address, now + timedelta(minutes=15))[0].failures == 1


@pytest.mark.parametrize("every", [16, 37])
def test_an_office_that_mistypes_at_a_slower_rate_than_that_never_waits(every: int) -> None:
    """Also when the steps in between are no whole shares of the window."""
    counter, now = None, NOW
    for _ in range(500):
        counter, wait = charge(counter, rule(Scope.ADDRESS), now)
        assert wait is None
        assert counter.failures < 10
        now += timedelta(seconds=every)


def test_an_address_that_mistypes_faster_waits_in_the_end() -> None:
    counter, now = None, NOW
    for _ in range(400):
        counter, wait = charge(counter, rule(Scope.ADDRESS), now)
        if wait is not None:
            return
        now += timedelta(seconds=10)
    pytest.fail("never waited")


def test_a_clock_set_back_adds_nothing_to_an_address() -> None:
    counter = Counter(30, NOW)
    assert charge(counter, rule(Scope.ADDRESS), NOW - timedelta(hours=1))[0].failures == 31


def test_the_count_of_addresses_can_be_off() -> None:
    assert rule_for(Scope.ADDRESS, ThrottleSettings(address_tries=0)) is None
    assert rule(Scope.ADDRESS, address_longest_wait_seconds=10).first_wait == timedelta(seconds=10)
