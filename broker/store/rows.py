"""Rows to values and back. Pure mapping; the obligations travel as one JSON text, durations in seconds."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from broker.duties.models import Priority
from broker.models import (
    AddressKind,
    Desktop,
    DesktopSession,
    EndReason,
    Keyboard,
    Pool,
    PoolKind,
    StaticTarget,
    TargetSecurity,
)
from broker.states import SessionState
from common.ids import DesktopId, PoolId, SessionId, TenantId, UserId, WebSessionId
from policy.model import Obligations, QualityProfile, Zone

Row = RowMapping


def obligations_json(obligations: Obligations) -> str:
    """One JSON object with the names of the HTTP API."""
    return json.dumps(
        {
            "clipboard_in_chars": obligations.clipboard_in_chars,
            "clipboard_out_chars": obligations.clipboard_out_chars,
            "view_only": obligations.view_only,
            "watermark": obligations.watermark,
            "idle_limit_seconds": obligations.idle_limit.total_seconds(),
            "total_limit_seconds": obligations.total_limit.total_seconds(),
            "quality": obligations.quality,
        },
        sort_keys=True,
    )


def obligations_of(text: str) -> Obligations:
    """The counterpart of `obligations_json`."""
    stored = json.loads(text)
    return Obligations(
        clipboard_in_chars=stored["clipboard_in_chars"],
        clipboard_out_chars=stored["clipboard_out_chars"],
        view_only=stored["view_only"],
        watermark=stored["watermark"],
        idle_limit=timedelta(seconds=stored["idle_limit_seconds"]),
        total_limit=timedelta(seconds=stored["total_limit_seconds"]),
        quality=QualityProfile(stored["quality"]),
    )


def pool_row(pool: Pool) -> dict[str, Any]:
    """Column values of a pool."""
    return {
        "tenant_id": pool.tenant_id,
        "id": pool.id,
        "name_ja": pool.name_ja,
        "name_en": pool.name_en,
        "kind": pool.kind,
        "pool_class": pool.pool_class,
        "zone": pool.zone,
        "site": pool.site,
        "max_desktops": pool.max_desktops,
        "max_queued": pool.max_queued,
        "user_session_limit": pool.user_session_limit,
        "keep_disconnected_minutes": pool.keep_disconnected_minutes,
        "geometry": pool.geometry,
        "keyboard": pool.keyboard,
        "enabled": pool.enabled,
    }


def pool_of(row: Row) -> Pool:
    """A pool of its row."""
    return Pool(
        tenant_id=TenantId(row["tenant_id"]),
        id=PoolId(row["id"]),
        name_ja=row["name_ja"],
        name_en=row["name_en"],
        kind=PoolKind(row["kind"]),
        pool_class=row["pool_class"],
        zone=None if row["zone"] is None else Zone(row["zone"]),
        site=row["site"],
        max_desktops=row["max_desktops"],
        max_queued=row["max_queued"],
        user_session_limit=row["user_session_limit"],
        keep_disconnected_minutes=row["keep_disconnected_minutes"],
        geometry=row["geometry"],
        keyboard=Keyboard(row["keyboard"]),
        enabled=row["enabled"],
    )


def target_row(target: StaticTarget) -> dict[str, Any]:
    """Column values of a static target, without its credential."""
    return {
        "tenant_id": target.tenant_id,
        "id": target.id,
        "pool_id": target.pool_id,
        "name_ja": target.name_ja,
        "name_en": target.name_en,
        "address_kind": target.address_kind,
        "host": target.host,
        "port": target.port,
        "security": ",".join(target.security),
        "ca_pem": target.ca_pem,
        "tls_name": target.tls_name,
        "assigned_user_id": target.assigned_user_id,
        "enabled": target.enabled,
    }


def target_of(row: Row) -> StaticTarget:
    """A static target of its row; the credential itself is never part of it."""
    return StaticTarget(
        tenant_id=TenantId(row["tenant_id"]),
        id=DesktopId(row["id"]),
        pool_id=PoolId(row["pool_id"]),
        name_ja=row["name_ja"],
        name_en=row["name_en"],
        address_kind=AddressKind(row["address_kind"]),
        host=row["host"],
        port=row["port"],
        security=tuple(TargetSecurity(name) for name in row["security"].split(",") if name),
        ca_pem=row["ca_pem"],
        tls_name=row["tls_name"],
        assigned_user_id=None if row["assigned_user_id"] is None else UserId(row["assigned_user_id"]),
        enabled=row["enabled"],
        has_credential=row["credential"] is not None,
    )


def desktop_of(row: Row) -> Desktop:
    """A desktop of an agent pool of its row."""
    return Desktop(
        tenant_id=TenantId(row["tenant_id"]),
        id=DesktopId(row["id"]),
        pool_id=PoolId(row["pool_id"]),
        user_id=UserId(row["user_id"]),
        username=row["username"],
        display_name=row["display_name"],
    )


def session_row(session: DesktopSession) -> dict[str, Any]:
    """Column values of a desktop session."""
    values = {name: getattr(session, name) for name in DesktopSession.__slots__}
    return values | {"obligations": obligations_json(session.obligations)}


def session_of(row: Row) -> DesktopSession:
    """A desktop session of its row."""
    return DesktopSession(
        tenant_id=TenantId(row["tenant_id"]),
        id=SessionId(row["id"]),
        user_id=UserId(row["user_id"]),
        username=row["username"],
        display_name=row["display_name"],
        pool_id=PoolId(row["pool_id"]),
        desktop_id=None if row["desktop_id"] is None else DesktopId(row["desktop_id"]),
        state=SessionState(row["state"]),
        end_reason=None if row["end_reason"] is None else EndReason(row["end_reason"]),
        short_code=row["short_code"],
        web_session_id=WebSessionId(row["web_session_id"]),
        viewer=row["viewer"],
        node=row["node"],
        obligations=obligations_of(row["obligations"]),
        created_at=row["created_at"],
        state_since=row["state_since"],
        active_since=row["active_since"],
        seen_at=row["seen_at"],
        keep_until=row["keep_until"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        worked_seconds=row["worked_seconds"],
        priority=Priority(row["priority"]),
        credited_since=row["credited_since"],
        source_site=row["source_site"],
        seated_at=row["seated_at"],
        hold_until=row["hold_until"],
        input_at=row["input_at"],
        lowered=row["lowered"],
        leaves_at=row["leaves_at"],
        asked_to_leave_at=row["asked_to_leave_at"],
    )
