"""One spelling of a declaration: what is stored, signed and hashed. Pure.

Counterparts: `policy.bcp.sealing` signs it, `policy.bcp.store` and the bundle file keep it. Equal declarations have
equal bytes on every node, whatever the order of their sets.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from policy.bcp.model import Declaration, PendingExtension

_ADAPTER: Final = TypeAdapter(Declaration)


def spelled(content: Any) -> bytes:
    """JSON without freedom: sorted keys, no spaces, UTF-8."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def encode(declaration: Declaration) -> dict[str, Any]:
    """As JSON values, sets in order."""
    content: dict[str, Any] = _ADAPTER.dump_python(declaration, mode="json")
    content["scope"]["ids"] = sorted(declaration.scope.ids)
    content["blocked"] = sorted(declaration.blocked)
    injects = content.pop("injects")
    if declaration.injects:  # what pretends nothing is spelled as before there were injects: old seals stay good
        content["injects"] = injects | {"sites_down": sorted(declaration.injects.sites_down)}
    return content


def decode(content: Any) -> Declaration:
    """The declaration that `encode` wrote. Raises ValueError for anything else."""
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as error:
        raise ValueError(f"not a declaration: {error.error_count()} faults") from None


def digest(declaration: Declaration) -> str:
    """What a signature covers, in 64 hex digits: everything that decides what is widened, for whom and how long.

    It stays the same from the draft to the last signature; narrowing changes it.
    """
    return _hash(
        [
            "kakehashi-bcp-declaration-1",
            declaration.id,
            declaration.tenant_id,
            declaration.scope.kind,
            sorted(declaration.scope.ids),
            declaration.level,
            declaration.plan_id,
            declaration.plan_version,
            declaration.plan_digest,
            declaration.cause,
            declaration.reason,
            declaration.drill,
            declaration.break_glass,
            _moment(declaration.planned_end or declaration.ends_at),
            declaration.supersedes,
            *([encode(declaration)["injects"]] if declaration.injects else []),
        ]
    )


def extension_digest(declaration: Declaration, ends_at: datetime) -> str:
    """What a signature on an extension covers."""
    return _hash(["kakehashi-bcp-extension-1", digest(declaration), _moment(declaration.ends_at), _moment(ends_at)])


def pending_digest(declaration: Declaration, pending: PendingExtension) -> str:
    """The same for an extension that waits for its second person."""
    return extension_digest(declaration, pending.ends_at)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _hash(content: list[Any]) -> str:
    return hashlib.sha256(spelled(content)).hexdigest()
