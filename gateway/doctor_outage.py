"""The doctor's look at what an outage leaves or needs: spool, clock, and what the running gateway says of itself.

Counterpart: `gateway/doctor.py`, which asks for it among the rest.
"""

import asyncio
import json
import shutil
from datetime import timedelta
from typing import Final

import aiohttp

from common.audit_spool import examine
from common.clock import SystemClock
from common.db import Database
from common.drift import MOST
from common.errors import StoreUnavailable
from gateway.doctor_finding import Finding
from gateway.settings import Settings

_ANSWER_SECONDS: Final = 12.0
_LOW_DISK_BYTES: Final = 512 * 2**20
_REMEDIES: Final = {
    "database": "start the database; events wait in the spool and are carried over by themselves",
    "directory": "start a directory server or mend the line to it; meanwhile auth.degraded.groups may sign in",
    "audit": "make room on the spool's disk or raise audit.spool_mb: nothing new begins before",
    "clock": "correct the clock of this machine, or of the database if that one is wrong; with SQLite restart then",
}


async def audit_spool(settings: Settings) -> list[Finding]:
    """What waits for the database, and whether there is room for more."""
    path, limit = settings.audit.spool_for(settings.node_id), settings.audit.spool_mb * 2**20
    if not path.parent.is_dir():
        return [Finding("audit spool", ok=False, text=f"no folder {path.parent}", remedy=f"create {path.parent}")]
    if path.exists() and path.stat().st_mode & 0o077:
        return [Finding("audit spool", ok=False, text=f"{path}: others can read it", remedy=f"chmod 600 {path}")]
    found = await asyncio.to_thread(examine, path, settings.node_id)
    findings = [_waiting(str(path), found.events, path.stat().st_size if path.exists() else 0, limit, found.fault)]
    free = shutil.disk_usage(path.parent).free
    if free < min(limit, _LOW_DISK_BYTES):
        text = f"{free // 2**20} MiB free in {path.parent}"
        findings.append(
            Finding("audit spool's disk", ok=False, text=text, remedy="make room: what is not recorded is refused")
        )
    for kept in sorted(path.parent.glob(f"{path.name}.distrusted-*")):
        remedy = "it was damaged or did not follow the chain: look into it, then move it away"
        findings.append(Finding("audit spool", ok=False, text=f"{kept} was set aside", remedy=remedy))
    return findings


def _waiting(path: str, events: int, size: int, limit: int, fault: str | None) -> Finding:
    if fault:
        return Finding(
            "audit spool", ok=False, text=f"{path}: {fault}", remedy="the next start sets it aside as evidence"
        )
    if not events:
        return Finding("audit spool", ok=True, text=f"{path}: nothing waits")
    text = f"{path}: {events} events wait for the database, {100 * size // limit} % full"
    return Finding("audit spool", ok=False, text=text, remedy=_REMEDIES["database"])


async def clock(settings: Settings) -> list[Finding]:
    """This machine's clock beside the database's."""
    database = Database(settings.database.url)
    own = SystemClock()
    try:
        before = own.monotonic()
        said = await database.now()
        ahead = own.now() - said if said else timedelta()
        took = own.monotonic() - before
    except StoreUnavailable:
        return [Finding("clock", ok=True, text="the database does not answer: nothing to compare with")]
    finally:
        await database.close()
    if said is None:
        return [Finding("clock", ok=True, text="SQLite has no clock of its own to compare with: keep NTP on")]
    ok = abs(ahead) <= MOST + timedelta(seconds=took)
    text = f"{ahead.total_seconds():+.1f} s beside the database's"
    return [Finding("clock", ok=ok, text=text, remedy="" if ok else _REMEDIES["clock"])]


async def running_gateway(settings: Settings) -> list[Finding]:
    """What the gateway that runs here says of its dependencies; nothing when it cannot be asked."""
    socket = settings.admin.socket
    if socket is None or not socket.exists():
        return [Finding("gateway", ok=True, text="not running here, or admin.socket is not set: not asked")]
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as client,
            client.get("http://gateway/readyz") as response,
        ):
            checks: dict[str, bool] = json.loads(await response.text())["checks"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, PermissionError) as error:
        text = f"does not answer on {socket}: {type(error).__name__}"
        return [Finding("gateway", ok=False, text=text, remedy="ask as root or its account; see its log")]
    return [
        Finding(
            f"gateway: {name}", ok=ok, text="ready" if ok else "not ready", remedy="" if ok else _REMEDIES.get(name, "")
        )
        for name, ok in checks.items()
    ]
