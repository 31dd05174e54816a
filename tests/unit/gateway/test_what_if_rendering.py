"""The effect of a proposal as the API gives it: a line of a site, with its numbers under their names."""

from datetime import UTC, datetime, timedelta
from typing import Final

from broker.settings import TriageSettings
from common.ids import UserId
from gateway.planning import PlanningSettings
from gateway.schemas_what_if import ToldAnswer
from gateway.what_if_rendering import what_if
from policy.bcp.what_if import Gain, WhatIf
from policy.model import Action, Obligations
from policy.situations import ELSEWHERE, Place, Situation
from tests.support.policy import context
from tests.unit.gateway.test_planning import EAST, HQ, LOAD, OFFICE, POOLS, SEATS

NOON: Final = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
NAMES: Final = tuple(f"s{number}" for number in range(40))


def test_a_line_is_given_in_sessions_and_in_mbps() -> None:
    """10 Mbps at 70 % carry 14 sessions of 0.5 Mbps; four are there and 70 of 100 of the forty come."""
    gain = Gain((0,), tuple(map(UserId, NAMES)), NAMES, (OFFICE,), (Action.CONNECT,), None, Obligations())
    here = Situation(context(now=NOON), Place(ELSEWHERE, "外", "Outside"), None, None)
    found = WhatIf("x", NOON, NOON + timedelta(hours=1), (here,), 50, 3, NAMES, {OFFICE: 40}, (gain,), (), 0)
    (line,) = what_if(
        found,
        pools=POOLS,
        seats=SEATS,
        sites=(HQ, EAST),
        settings=PlanningSettings(),
        lines=TriageSettings(),
        load_mbps=LOAD,
        people={},
        all_names=False,
        told=ToldAnswer(people=0, with_address=0, officials=0, channels=[]),
        load_percent=0,
        elapsed_ms=1,
    ).lines
    assert line.model_dump() == {
        "site_id": "hq", "name_ja": "本庁舎", "name_en": "City hall", "line_mbps": 10, "average_mbps": 16.0,
        "peak_mbps": 64.0, "total": 14, "used": 4, "forecast": 32, "everybody": 44, "short": 18,
    }  # fmt: skip
