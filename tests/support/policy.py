"""Grants, requests and engines for the tests of other packages.

    from tests.support.policy import grant, request

    grant()                                  # allowed to connect to pool "office-desktop" (LGWAN), default obligations
    grant(username="suzuki", pool_id="internet-desktop", zone=Zone.INTERNET, clipboard_in_chars=2000, view_only=True)

Every field of Subject, Resource, Context and Obligations can be given by name; strings become ids.
"""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from common.ids import PoolId, TenantId, UserId
from policy.checks import load
from policy.engine import Engine
from policy.model import Action, Context, FactorKind, Grant, Obligations, Request, Resource, Subject, Zone
from policy.schema import PolicyDocument, duration_text

NOON: Final = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
"""12:00 in Tokyo on a Wednesday that is a working day."""


def _picked(cls: type[Any], over: dict[str, Any]) -> dict[str, Any]:
    return {field.name: over[field.name] for field in fields(cls) if field.name in over}


def subject(**over: Any) -> Subject:
    """A permanent staff member of the group "telework"."""
    values: dict[str, Any] = {
        "tenant_id": TenantId("city"),
        "user_id": UserId("usr_test"),
        "username": "sato",
        "groups": frozenset({"telework"}),
        "department": "総務課",
        "duties": frozenset(),
        "employment": "permanent",
        "suspended": False,
    }
    return Subject(**(values | over))


def resource(**over: Any) -> Resource:
    """The pool "office-desktop" in the LGWAN zone."""
    values: dict[str, Any] = {
        "tenant_id": TenantId("city"),
        "pool_id": PoolId("office-desktop"),
        "pool_class": "standard",
        "zone": Zone.LGWAN,
        "site": None,
    }
    return Resource(**(values | over))


def context(**over: Any) -> Context:
    """Wednesday noon, from home, on a registered managed device, password and TOTP a minute old, an empty pool, no
    day of the week behind."""
    values: dict[str, Any] = {
        "now": NOON,
        "source": ip_address("203.0.113.7"),
        "device_kind": "managed",
        "device_registered": True,
        "password_age": timedelta(minutes=1),
        "totp_age": timedelta(minutes=1),
        "factor": FactorKind.TOTP,
        "seats_used": 0,
        "seats_total": 10,
        "gateway_load_percent": 0,
        "user_sessions": 0,
        "days_worked": 0,
    }
    return Context(**(values | over))


def request(action: Action = Action.CONNECT, **over: Any) -> Request:
    """A request to connect with any field of subject, resource and context changed by name."""
    known = {field.name for cls in (Subject, Resource, Context) for field in fields(cls)}
    if unknown := over.keys() - known:
        raise TypeError(f"no such field: {sorted(unknown)}")
    return Request(
        subject(**_picked(Subject, over)),
        action,
        resource(**_picked(Resource, over)),
        context(**_picked(Context, over)),
    )


def policy(rules: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    """A policy as YAML would give it; rules get names, layer and effect when they have none."""
    named = [{"name": {"ja": "試験", "en": "Test"}, "effect": "permit", **rule} for rule in rules]
    whole = {"format": 1, "name": {"ja": "試験", "en": "Test"}, "rules": named, **parts}
    copied: dict[str, Any] = json.loads(json.dumps(whole, default=duration_text))  # no shared parts: YAML aliases them
    return copied


def engine(rules: list[dict[str, Any]], **parts: Any) -> Engine:
    """A real engine with these rules (and the guardrails); `networks` and `calendar` may be given, too."""
    return Engine(PolicyDocument.model_validate(policy(rules, **parts)))


def file_engine(name: str) -> Engine:
    """The engine of a file in deploy/, for example "policy.demo.yaml"."""
    content = (Path(__file__).parents[2] / "deploy" / name).read_bytes()
    document, _warnings = load(content, today=NOON.date())
    return Engine(document)


def grant(action: Action = Action.CONNECT, **over: Any) -> Grant:
    """A grant with any field of subject, resource, context and obligations changed by name, minted by a real engine.

    Guardrails hold here, too: clipboard out needs `zone=Zone.INTERNET`, and the watermark cannot be off.
    """
    wanted = _picked(Obligations, over)
    asked = request(action, **{name: value for name, value in over.items() if name not in wanted})
    terms = {name: value for name, value in wanted.items() if name != "watermark"}
    decision = engine([{"id": "T-01", "when": {"users": [asked.subject.username]}, "terms": terms}]).decide(asked)
    assert decision.grant is not None, decision.reason.text_en
    got = {name: getattr(decision.grant.obligations, name) for name in wanted}
    assert got == wanted, f"guardrails allow no more than {got}"
    return decision.grant
