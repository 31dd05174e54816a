"""What the table says of a measure."""

import pytest

from bench.table import Goal, Row, figure, markdown


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    row = Row("echo", "us", [2.0, 30.0, 2.0], [4.0, 20.0, 8.0], Goal(0.5, ratio=True))
    assert row.ratio == 0.5
    assert row.met
    assert markdown(row) == "| echo | us | 2 | 8 | 0.50 x | <= 0.5 x | met |"


def test_without_a_peer_only_our_figure_counts() -> None:
    row = Row("idle", "KiB", [41.0], goal=Goal(40), note="of 1,000")
    assert row.ratio is None
    assert markdown(row) == "| idle | KiB | 41 | - | - | <= 40 | **missed**; of 1,000 |"


@pytest.mark.parametrize(("value", "met"), [(2.9, False), (3.0, True)])
def test_some_figures_should_be_large(value: float, met: bool) -> None:
    assert Row("set-ups", "/s", [value], [1.0], Goal(3, ratio=True, at_least=True)).met is met


def test_nothing_is_said_of_a_ratio_goal_without_a_peer() -> None:
    assert Row("set-ups", "/s", [3.0], (), Goal(3, ratio=True)).met is None


def test_a_measure_without_a_goal_is_only_told() -> None:
    row = Row("throughput", "MB/s", [1234.5], [617.0])
    assert row.met is None
    assert markdown(row) == "| throughput | MB/s | 1,234 | 617 | 2.00 x | - |  |"


def test_figures_have_three_digits() -> None:
    assert [figure(value) for value in (0.04567, 3.14159, 12345.6)] == ["0.0457", "3.14", "12,346"]
