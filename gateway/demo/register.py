"""The demo's register of duties, imported over the admin API as `kakehashi duty import` does: preview, then apply."""

import base64
from pathlib import Path
from typing import Any, Final

import aiohttp

from gateway.demo import synthetic

_DEADLINE: Final = aiohttp.ClientTimeout(total=60)
_ADMIN: Final = "http://localhost/api/v1/admin/duties"


async def set_up(admin_socket: Path) -> int:
    """Import the register of the demo's people unless there is one; gives the number of duties.

    Raises aiohttp.ClientError when the gateway refuses.
    """
    async with aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(admin_socket)), timeout=_DEADLINE, raise_for_status=True
    ) as session:
        async with session.get(_ADMIN) as answer:
            known: dict[str, Any] = await answer.json()
        if known["version"] == 0:
            register = synthetic.sample().files()["register.yaml"]
            sent = {"files": [{"name": "register.yaml", "content": base64.b64encode(register).decode()}]}
            async with session.post(f"{_ADMIN}/preview", json=sent) as answer:
                digest = (await answer.json())["digest"]
            async with session.post(f"{_ADMIN}/apply", json=sent | {"digest": digest}) as answer:
                await answer.read()
            async with session.get(_ADMIN) as answer:
                known = await answer.json()
    return int(known["counts"]["duties"])
