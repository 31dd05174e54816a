"""Each condition: met, not met, and unknown when its fact is not there."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest

from policy.conditions import KINDS, Compiler
from policy.model import ActiveOverlay, BcpLevel, FactorKind, Zone
from policy.schema import PolicyDocument, When
from tests.support.policy import NOON, policy, request
from tests.support.policy_strategies import NETWORKS

NIGHT = datetime(2026, 6, 3, 15, 30, tzinfo=UTC)
H = timedelta(hours=1)


def answer(when: dict[str, Any], **facts: Any) -> bool | None:
    document = PolicyDocument.model_validate(policy([], networks=NETWORKS))
    (condition,) = Compiler(document).conditions(When.model_validate(when))
    return condition.check(request(**facts))


def quake(level: BcpLevel, hours: int = 1, plan: str = "quake") -> dict[str, Any]:
    return {"overlays": (ActiveOverlay("bcp_1", plan, level, NOON + hours * H),)}


FIRST = {"bcp": {"plan": "quake", "level": "first"}}
SECOND = {"bcp": {"plan": "quake", "level": "second"}}
CASES: list[tuple[dict[str, Any], dict[str, Any], bool | None]] = [
    ({"groups": ["telework", "x"]}, {}, True),
    ({"groups": ["x"]}, {}, False),
    ({"groups": ["x"]}, {"groups": frozenset()}, False),
    ({"departments": ["総務課"]}, {}, True),
    ({"departments": ["税務課"]}, {}, False),
    ({"departments": ["税務課"]}, {"department": None}, None),
    ({"duties": ["watch"]}, {"duties": frozenset({"watch"})}, True),
    ({"duties": ["watch"]}, {}, False),
    ({"employment": ["permanent"]}, {}, True),
    ({"employment": ["fiscal-year"]}, {}, False),
    ({"employment": ["permanent"]}, {"employment": None}, None),
    ({"users": ["sato"]}, {}, True),
    ({"users": ["usr_test"]}, {}, True),
    ({"users": ["suzuki"]}, {}, False),
    ({"suspended": True}, {"suspended": True}, True),
    ({"suspended": True}, {}, False),
    ({"suspended": True}, {"suspended": None}, None),
    ({"suspended": False}, {}, True),
    ({"suspended": False}, {"suspended": None}, None),
    ({"pools": ["office-desktop"]}, {}, True),
    ({"pools": ["x"]}, {}, False),
    ({"pool_classes": ["standard"]}, {}, True),
    ({"pool_classes": ["gpu"]}, {}, False),
    ({"zones": ["lgwan"]}, {}, True),
    ({"zones": ["internet"]}, {}, False),
    ({"zones": ["internet"]}, {"zone": None}, None),
    ({"sites": ["hq"]}, {"site": "hq"}, True),
    ({"sites": ["hq"]}, {"site": "east"}, False),
    ({"sites": ["hq"]}, {}, None),
    ({"networks": ["office"]}, {"source": ip_address("10.1.2.3")}, True),
    ({"networks": ["office"]}, {"source": ip_address("11.0.0.0")}, False),
    ({"networks": ["office"]}, {"source": ip_address("2001:db8::7")}, True),
    ({"networks": ["branch"]}, {"source": ip_address("2001:db8::7")}, False),
    ({"networks": ["office"]}, {"source": ip_address("::ffff:10.1.2.3")}, True),
    ({"networks": ["office"]}, {"source": ip_address("::ffff:11.0.0.0")}, False),
    ({"networks": ["branch", "office"]}, {"source": ip_address("10.9.9.9")}, True),
    ({"networks": ["office"]}, {"source": None}, None),
    ({"device_kinds": ["managed"]}, {}, True),
    ({"device_kinds": ["byod"]}, {}, False),
    ({"device_kinds": ["byod"]}, {"device_kind": None}, None),
    ({"device_registered": True}, {}, True),
    ({"device_registered": False}, {}, False),
    ({"device_registered": False}, {"device_registered": None}, None),
    ({"hours": {"windows": ["08:30-17:15"], "days": "workdays"}}, {}, True),
    ({"hours": {"windows": ["08:30-17:15"]}}, {"now": NIGHT}, False),
    ({"hours": {"days": ["sat", "sun"]}}, {}, False),
    ({"hours": {"days": ["wed"]}}, {}, True),
    ({"dates": {"from": "2026-06-03", "until": "2026-06-03"}}, {}, True),
    ({"dates": {"until": "2026-06-02"}}, {}, False),
    ({"dates": {"from": "2026-06-04"}}, {}, False),
    ({"dates": {"from": "2026-06-04"}}, {"now": NIGHT}, True),  # already the 4th in Tokyo
    ({"password_age": {"at_most": "8h"}}, {"password_age": 8 * H}, True),
    ({"password_age": {"at_most": "8h"}}, {"password_age": 9 * H}, False),
    ({"password_age": {"over": "8h"}}, {"password_age": 9 * H}, True),
    ({"password_age": {"over": "8h"}}, {"password_age": None}, None),
    ({"factors": ["totp"]}, {}, True),
    ({"factors": ["temporary", "recovery"]}, {}, False),
    ({"factors": ["temporary"]}, {"factor": FactorKind.TEMPORARY}, True),
    ({"factors": ["temporary"]}, {"factor": None}, None),
    ({"totp_age": {"at_most": "5m"}}, {}, True),
    ({"totp_age": {"at_most": "5m"}}, {"totp_age": H}, False),
    ({"totp_age": {"over": "5m"}}, {"totp_age": H}, True),
    ({"totp_age": {"over": "5m"}}, {"totp_age": None}, None),
    ({"totp_age": {"over": "5m"}}, {"totp_age": -H}, None),  # the clock stepped back
    ({"totp_age": {"at_most": "5m"}}, {"totp_age": -H}, None),
    ({"seats_used_percent": {"at_least": 90}}, {"seats_used": 9}, True),
    ({"seats_used_percent": {"at_least": 90}}, {"seats_used": 8}, False),
    ({"seats_used_percent": {"below": 90}}, {"seats_used": 8}, True),
    ({"seats_used_percent": {"below": 90}}, {"seats_total": 0}, False),  # no seat is a full pool
    ({"seats_used_percent": {"below": 90}}, {"seats_total": None}, None),
    ({"seats_used_percent": {"below": 90}}, {"seats_used": None}, None),
    ({"gateway_load_percent": {"at_least": 80}}, {"gateway_load_percent": 80}, True),
    ({"gateway_load_percent": {"at_least": 80}}, {"gateway_load_percent": None}, None),
    ({"user_sessions": {"at_least": 3}}, {"user_sessions": 3}, True),
    ({"user_sessions": {"below": 3}}, {"user_sessions": 3}, False),
    ({"days_a_week": 4}, {"days_worked": 3}, True),  # today would be the fourth
    ({"days_a_week": 4}, {"days_worked": 4}, False),
    ({"days_a_week": 1}, {"days_worked": 0}, True),
    ({"days_a_week": 7}, {"days_worked": 6}, True),
    ({"days_a_week": 4}, {"days_worked": None}, None),
    ({"not": {"days_a_week": 4}}, {"days_worked": 4}, True),
    ({"not": {"days_a_week": 4}}, {"days_worked": None}, None),
    (FIRST, {}, False),
    (FIRST, quake(BcpLevel.ALERT), False),
    (FIRST, quake(BcpLevel.FIRST), True),
    (FIRST, quake(BcpLevel.SECOND), True),
    (SECOND, quake(BcpLevel.FIRST), False),
    (SECOND, quake(BcpLevel.SECOND), True),
    (SECOND, quake(BcpLevel.SECOND, hours=0), False),  # over at its very end
    (SECOND, quake(BcpLevel.SECOND, plan="flood"), False),
    ({"same_tenant": True}, {}, True),
    ({"same_tenant": False}, {"tenant_id": "city"}, False),
    ({"zone_known": True}, {}, True),
    ({"zone_known": False}, {}, False),
    ({"zone_known": False}, {"zone": None}, True),
    # three answers through the shapes
    ({"any_of": [{"groups": ["x"]}, {"zones": ["lgwan"]}]}, {}, True),
    ({"any_of": [{"groups": ["x"]}, {"zones": ["lgwan"]}]}, {"zone": None}, None),
    ({"any_of": [{"groups": ["x"]}, {"zones": ["internet"]}]}, {}, False),
    ({"any_of": [{"sites": ["hq"]}, {"groups": ["telework"]}]}, {}, True),  # unknown or True is True
    ({"all_of": [{"groups": ["telework"]}, {"zones": ["lgwan"]}]}, {}, True),
    ({"all_of": [{"sites": ["hq"]}, {"groups": ["x"]}]}, {}, False),  # unknown and False is False
    ({"all_of": [{"sites": ["hq"]}, {"groups": ["telework"]}]}, {}, None),
    ({"not": {"groups": ["telework"]}}, {}, False),
    ({"not": {"groups": ["x"]}}, {}, True),
    ({"not": {"sites": ["hq"]}}, {}, None),
    ({"not": {"groups": ["telework"], "zones": ["internet"]}}, {}, True),
    ({"not": {"any_of": [{"sites": ["hq"]}, {"groups": ["telework"]}]}}, {}, False),
]


@pytest.mark.parametrize(("when", "facts", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_condition(when: dict[str, Any], facts: dict[str, Any], expected: bool | None) -> None:
    assert answer(when, **facts) is expected


def test_another_tenant() -> None:
    asked = request()
    document = PolicyDocument.model_validate(policy([]))
    other = type(asked)(asked.subject, asked.action, request(tenant_id="town").resource, asked.context)
    for value in (True, False):
        (condition,) = Compiler(document).conditions(When(same_tenant=value))
        assert condition.check(other) is not value
        assert condition.check(asked) is value


def test_every_condition_of_the_schema_is_compiled_and_tested() -> None:
    assert set(KINDS) == set(When.model_fields)
    tested = {key for when, _, _ in CASES for key in when}
    assert {"not_" if key == "not" else key for key in tested} == set(KINDS)


def test_cheap_and_telling_conditions_come_first() -> None:
    document = PolicyDocument.model_validate(policy([]))
    when = When.model_validate({"totp_age": {"at_most": "8h"}, "hours": {}, "groups": ["x"], "zones": ["lgwan"]})
    assert [c.key for c in Compiler(document).conditions(when)] == ["zones", "groups", "totp_age", "hours"]


def test_a_remembered_answer_is_never_given_for_another_fact() -> None:
    document = PolicyDocument.model_validate(policy([], networks=NETWORKS))
    compiler = Compiler(document)
    (hours,) = compiler.conditions(When.model_validate({"hours": {"windows": ["08:30-17:15"]}}))
    compiler.conditions(When.model_validate({"hours": {"windows": ["08:30-17:15"]}}))
    assert len(compiler.clocks()) == 1  # equal hours are one clock
    (networks,) = compiler.conditions(When(networks=("office",)))
    inside, outside = ip_address("10.0.0.1"), ip_address("192.0.2.1")
    for now, source in ((NOON, inside), (NIGHT, outside), (NOON, outside), (NOON, None), (NIGHT, inside)):
        asked = request(now=now, source=source)
        for _ in range(2):
            assert hours.check(asked) is (now is NOON)
            assert networks.check(asked) is (None if source is None else source is inside)


def test_zone_of_the_request_is_the_enum() -> None:
    assert answer({"zones": [Zone.MY_NUMBER]}, zone=Zone.MY_NUMBER) is True
