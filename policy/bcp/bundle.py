"""The signed active declarations on disk, so that a node without its database decides on, also after a restart.

Counterpart: `policy.bcp.memory` writes it after every change and reads it when the database does not answer. A file
that others can read, that was altered or that another tenant signed is not used; the caller raises the alarm.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from common.errors import SecretUnreadable
from common.ids import TenantId
from common.secret import Keyring
from policy.bcp.canonical import decode, encode, spelled
from policy.bcp.model import Declaration
from policy.bcp.plan import Plan, content_of, plan_from
from policy.bcp.sealing import TenantKey

FORMAT: Final = 1
MAX_BYTES: Final = 20_000_000


class BundleDistrusted(Exception):
    """The file must not be used; the text says why, for the log and the audit."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a node needs to decide: active declarations with their seals, those out of force with the end of their
    grace (`former`), and the plans of both. `seen_at` of each
    declaration and `read_at` are the latest moments known to have passed. `versions` are the newest known versions
    of declarations, ended ones included, `plan_versions` those of plans adopted in the console: an older one that turns
    up again is not believed."""

    tenant_id: TenantId
    sealed_key: str
    read_at: datetime
    seen_at: datetime
    active: tuple[tuple[Declaration, str], ...]
    former: tuple[tuple[Declaration, datetime], ...]
    plans: tuple[Plan, ...]
    versions: Mapping[str, int]
    plan_versions: Mapping[str, int]


def write(path: Path, bundle: Bundle, key: TenantKey) -> None:
    """Replace the file as a whole (never half of it), readable by its owner only. Raises OSError."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "tenant_id": bundle.tenant_id,
        "sealed_key": bundle.sealed_key,
        "read_at": bundle.read_at.isoformat(),
        "seen_at": bundle.seen_at.isoformat(),
        "active": [{"declaration": encode(declaration), "seal": seal} for declaration, seal in bundle.active],
        "former": [{"declaration": encode(item), "until": end.isoformat()} for item, end in bundle.former],
        "plans": [content_of(plan) for plan in bundle.plans],
        "versions": dict(bundle.versions),
        "plan_versions": dict(bundle.plan_versions),
    }
    text = spelled({"content": content, "seal": key.sign_bundle(content)})
    fresh = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read(path: Path, keyring: Keyring, tenant_id: TenantId) -> Bundle | None:
    """The bundle; None when there is none. Raises BundleDistrusted."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BundleDistrusted("others can read it")
            text = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleDistrusted(f"cannot be read: {error.strerror}") from error
    try:
        whole = json.loads(text)
        content, seal = whole["content"], whole["seal"]
        if content["format"] != FORMAT or content["tenant_id"] != tenant_id:
            raise BundleDistrusted("another format or another tenant's")
        if not TenantKey.opened(content["sealed_key"], keyring, tenant_id).is_our_bundle(content, seal):
            raise BundleDistrusted("altered")
        return _bundle(content)
    except SecretUnreadable as error:
        raise BundleDistrusted("its key cannot be opened with this node's key ring") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleDistrusted(f"damaged: {type(error).__name__}") from error


def _bundle(content: Any) -> Bundle:
    return Bundle(
        tenant_id=TenantId(content["tenant_id"]),
        sealed_key=content["sealed_key"],
        read_at=datetime.fromisoformat(content["read_at"]),
        seen_at=datetime.fromisoformat(content["seen_at"]),
        active=tuple((decode(item["declaration"]), item["seal"]) for item in content["active"]),
        former=tuple(
            (decode(item["declaration"]), datetime.fromisoformat(item["until"])) for item in content.get("former", ())
        ),
        plans=tuple(plan_from(plan) for plan in content["plans"]),
        versions=_versions(content["versions"]),
        plan_versions=_versions(content.get("plan_versions", {})),  # a file of before knows none
    )


def _versions(content: Any) -> dict[str, int]:
    return {str(key): int(value) for key, value in content.items()}
