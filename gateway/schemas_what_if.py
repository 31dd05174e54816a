"""The effect of a proposal before anybody signs, as the API gives it. Pure.

Counterpart: `gateway/what_if_rendering.py`.
"""

from datetime import datetime

from gateway.schemas import Answer


class PersonAnswer(Answer):
    """A member of staff."""

    username: str
    display_name: str
    department: str | None


class PlaceAnswer(Answer):
    """A named network, or everywhere else."""

    name_ja: str
    name_en: str


class GainAnswer(Answer):
    """Who gains a pool at some time until the end, from some place. `now`: of these, how many at the moment of asking;
    `later_at`: the first moment at which somebody else does; `used_up`: how many only once they have used up the days
    of the week that the usual rules allow; `places`: from where, null for wherever was tried."""

    pool_id: str
    name_ja: str
    name_en: str
    people: int
    now: int
    later_at: datetime | None
    used_up: int
    places: list[PlaceAnswer] | None
    named: list[PersonAnswer]
    more: int


class ForbiddenAnswer(Answer):
    """What stays closed, by which guardrail, for how many."""

    rule_id: str
    text_ja: str
    text_en: str
    people: int


class FitAnswer(Answer):
    """Whether what is expected at once fits; `everybody` is what if all who gain come at the same time."""

    total: int
    used: int
    forecast: int
    everybody: int
    short: int


class CapacityAnswer(FitAnswer):
    """Seats of a pool."""

    pool_id: str
    name_ja: str
    name_en: str


class LineAnswer(FitAnswer):
    """The line of a site where desktops stand, counted in sessions; `peak_mbps` is all sessions at their busiest."""

    site_id: str
    name_ja: str
    name_en: str
    line_mbps: int
    average_mbps: float
    peak_mbps: float


class GatewayFitAnswer(FitAnswer):
    """Sessions that the gateway carries, and how busy the answering node's machine is now."""

    load_percent: int


class ToldAnswer(Answer):
    """Who will be told: `people` of the scope, of whom `with_address` get it by mail or webhook, too."""

    people: int
    with_address: int
    officials: int
    channels: list[str]


class WhatIfAnswer(Answer):
    """The effect of a proposal, before anybody signs."""

    digest: str
    base_people: int
    gain_people: int
    gain_now: int
    """Of these, how many at the moment of asking."""
    tried_from: datetime
    tried_until: datetime
    """All of this time was tried, from each of the places."""
    tried_places: list[PlaceAnswer]
    gains: list[GainAnswer]
    forbidden: list[ForbiddenAnswer]
    capacity: list[CapacityAnswer]
    lines: list[LineAnswer]
    unplaced: list[str]
    """Pools whose site, or its line, the register does not know."""
    gateway: GatewayFitAnswer
    at_once_percent: int
    """How many of those who gain are expected at once."""
    told: ToldAnswer
    elapsed_ms: int
