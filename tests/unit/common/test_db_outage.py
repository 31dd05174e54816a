"""While a database does not answer, one caller a second asks it; a slow statement alone is no outage."""

from common.db_outage import PAUSE_SECONDS, Outage


def test_in_an_outage_one_caller_at_a_time_asks_and_not_at_once_again() -> None:
    outage = Outage()
    assert outage.may_try(0.0)
    assert outage.failed(0.0, 5.0)
    assert outage.going_on
    assert not outage.may_try(5.0 + PAUSE_SECONDS - 0.01)
    assert outage.may_try(5.0 + PAUSE_SECONDS)
    assert not outage.may_try(7.0)
    assert not outage.failed(6.0, 11.0), "the alarm is raised once"
    assert not outage.may_try(11.5)
    assert outage.may_try(12.0)
    assert outage.succeeded(12.5) == 7.5
    assert not outage.going_on
    assert outage.may_try(12.5)
    assert outage.may_try(12.5)


def test_one_slow_statement_among_others_that_succeed_is_no_outage() -> None:
    outage = Outage()
    assert outage.may_try(0.0)
    assert outage.may_try(1.0)
    assert outage.succeeded(1.1) is None
    assert not outage.failed(0.0, 5.0)
    assert outage.may_try(5.0)
    assert outage.failed(2.0, 7.0), "nothing has succeeded since this one began"


def test_a_caller_who_goes_away_does_not_keep_the_others_out() -> None:
    outage = Outage()
    outage.failed(0.0, 1.0)
    assert outage.may_try(2.0)
    outage.given_up()
    assert outage.may_try(2.1)
