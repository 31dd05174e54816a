"""Rows of the result table, in Markdown as docs/reference/performance.md has them. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

HEADER: Final = "| measure | unit | kakehashi | websockify 0.13 | ratio | goal | |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Goal:
    """A bound of our figure, or of its ratio to websockify's."""

    bound: float
    ratio: bool = False
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{' x' if self.ratio else ''}"


@dataclass(frozen=True)
class Row:
    """One measure: what each round gave. Without `peer` there is nothing to compare with."""

    name: str
    unit: str
    ours: Sequence[float]
    peer: Sequence[float] = ()
    goal: Goal | None = None
    note: str = field(default="")

    @property
    def ratio(self) -> float | None:
        """Median of the rounds' ratios: what disturbs a round disturbs both."""
        pairs = [mine / theirs for mine, theirs in zip(self.ours, self.peer, strict=False) if theirs]
        return statistics.median(pairs) if pairs else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        value = self.ratio if self.goal and self.goal.ratio else statistics.median(self.ours)
        if self.goal is None or value is None:
            return None
        return value >= self.goal.bound if self.goal.at_least else value <= self.goal.bound


def markdown(row: Row) -> str:
    """One line of the table."""
    verdict = {True: "met", False: "**missed**", None: ""}[row.met]
    cells = (
        row.name,
        row.unit,
        figure(statistics.median(row.ours)),
        figure(statistics.median(row.peer)) if row.peer else "-",
        f"{row.ratio:.2f} x" if row.ratio is not None else "-",
        str(row.goal) if row.goal else "-",
        "; ".join(part for part in (verdict, row.note) if part),
    )
    return "| " + " | ".join(cells) + " |"


def figure(value: float) -> str:
    """Three significant digits, no exponents."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
