"""A gateway's audit log in a process of its own, so that tests can kill it. Counterpart: tests of the spool.

Records events without end, each after the one before is durable, and prints the number of each. With `--merge-only` it
records nothing; `--page` makes the pages small in which a spool is carried over.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from common import audit_log
from common.audit import AuditEvent
from common.audit_log import AuditLog, load_or_create_signing_key
from common.audit_spool import Spool
from common.clock import SystemClock
from common.db import Database
from common.ids import TenantId

TENANT = TenantId("city")


async def _main(url: str, folder: Path, begin: int, merge_only: bool) -> None:
    database = Database(url)
    log = AuditLog(
        database,
        SystemClock(),
        node_id="node-1",
        tenant_id=TENANT,
        key=load_or_create_signing_key(folder / "audit.pem"),
        spool=Spool(folder / "spool.jsonl", limit_bytes=2**24),
    )
    await log.start()
    _say("started")
    if merge_only:
        await asyncio.Event().wait()
    number = begin
    while True:
        await log.record(AuditEvent("session-started", TENANT, actor="佐藤 𠮷", details={"n": number}))
        _say(str(number))
        number += 1


def _say(text: str) -> None:
    sys.stdout.write(f"> {text}\n")  # beside what is logged
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--page", type=int, default=audit_log.MERGE_BATCH)
    parser.add_argument("--merge-only", action="store_true")
    chosen = parser.parse_args()
    audit_log.MERGE_BATCH = chosen.page  # type: ignore[misc]  # the point of the option
    asyncio.run(_main(chosen.url, chosen.folder, chosen.begin, chosen.merge_only))
