"""The demo's pools, set up through the admin API on its local socket, as an administrator's `kakehashi pool` does."""

from pathlib import Path
from typing import Final

import aiohttp

from broker.models import PoolKind
from gateway.schemas import PoolBody
from policy.guardrails import LOW_PRIVILEGE
from policy.model import Zone

_DEADLINE: Final = aiohttp.ClientTimeout(total=15)

POOLS: Final = {
    "office-desktop": PoolBody(
        name_ja="庁内業務デスクトップ",
        name_en="Office desktop",
        kind=PoolKind.AGENT,
        pool_class="office",
        zone=Zone.LGWAN,
        site="hq",
        max_desktops=6,
    ),
    "internet-desktop": PoolBody(
        name_ja="インターネット用デスクトップ",
        name_en="Internet desktop",
        kind=PoolKind.AGENT,
        pool_class=LOW_PRIVILEGE,
        zone=Zone.INTERNET,
        site="hq",
        max_desktops=2,
    ),
    "resident-records": PoolBody(
        name_ja="住民記録端末(テレワーク不可)",
        name_en="Resident records (never by telework)",
        kind=PoolKind.AGENT,
        pool_class="records",
        zone=Zone.MY_NUMBER,
        max_desktops=1,
    ),
}
"""The second one also opens with a temporary authenticator (a lost telephone). The last one is there to be refused: no
rule and no declaration can open the My Number zone."""


async def set_up(admin_socket: Path) -> None:
    """Create or renew all pools. Raises aiohttp.ClientError when the gateway refuses."""
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(admin_socket)), timeout=_DEADLINE, raise_for_status=True
    ) as session:
        for pool_id, pool in POOLS.items():
            async with session.put(
                f"http://localhost/api/v1/admin/pools/{pool_id}", json=pool.model_dump(mode="json")
            ) as answer:
                await answer.read()
