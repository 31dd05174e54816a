"""A question under overlays is the same question but for these."""

from dataclasses import fields, replace
from datetime import timedelta
from ipaddress import ip_address

from policy.model import ActiveOverlay, BcpLevel, Context, FactorKind
from tests.support.policy import NOON, request


def test_under_overlays_everything_else_stays() -> None:
    full = Context(
        now=NOON,
        source=ip_address("203.0.113.7"),
        device_kind="byod",
        device_registered=True,
        password_age=timedelta(1),
        totp_age=timedelta(2),
        factor=FactorKind.TOTP,
        seats_used=1,
        seats_total=2,
        gateway_load_percent=3,
        user_sessions=4,
        days_worked=5,
        worked_today=True,
        live=True,
    )
    unset = Context(NOON)
    assert [item.name for item in fields(Context) if getattr(full, item.name) == getattr(unset, item.name)] == [
        "now",
        "overlays",
    ]
    overlays = (ActiveOverlay("dec_1", "quake@1", BcpLevel.FIRST, NOON),)
    assert full.under(overlays) == replace(full, overlays=overlays)
    asked = replace(request(), context=full)
    assert asked.under(overlays) == replace(asked, context=replace(full, overlays=overlays))
