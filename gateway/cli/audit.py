"""`kakehashi audit verify|export`: proof and evidence, straight from the database, also while the gateway is down."""

import json
from datetime import datetime
from typing import Annotated

import typer

from common.audit_log import load_or_create_signing_key
from common.audit_spool import examine
from common.audit_store import Verification, nodes, read, verify
from common.clock import TOKYO
from common.db import Database
from gateway.cli.common import ConfigOption, run, say, settings
from gateway.settings import Settings

audit = typer.Typer(help="The tamper-evident audit log.", no_args_is_help=True)


@audit.command("verify")
def audit_verify(config: ConfigOption = None) -> None:
    """Recompute every node's chain and check the signed checkpoints. Ends with 1 when anything was altered."""
    own = settings(config)
    broken = _say_spool(own)
    findings = run(_verify(own))
    key = load_or_create_signing_key(own.audit.key_file).public_key().public_bytes_raw().hex()
    for found in findings:
        fault = found.fault
        if fault is None and found.node_id == own.node_id and set(found.public_keys) - {key}:
            fault = "a checkpoint was signed with a key that is not this node's"
        broken |= fault is not None
        state = f"BROKEN: {fault}" if fault else "intact"
        say(f"{found.node_id}: {found.events} events, {found.checkpoints} checkpoints, "
            f"{found.unsigned_events} not yet signed: {state}")  # fmt: skip
    if not findings:
        say("the audit log is empty")
    if broken:
        raise typer.Exit(1)


@audit.command("export")
def audit_export(
    since: Annotated[datetime | None, typer.Option(help="Only events from this time on (Tokyo).")] = None,
    config: ConfigOption = None,
) -> None:
    """Print events as JSON lines, oldest first, node by node."""
    run(_export(settings(config), since.replace(tzinfo=TOKYO) if since and since.tzinfo is None else since))


def _say_spool(own: Settings) -> bool:
    """What waits on this node's disk for the database; whether anything is wrong with it."""
    path = own.audit.spool_for(own.node_id)
    waiting = examine(path, own.node_id)
    if waiting.events or waiting.fault:
        state = f"BROKEN: {waiting.fault}" if waiting.fault else "intact"
        say(f"{own.node_id}: {waiting.events} events wait in {path} for the database: {state}")
    kept = sorted(path.parent.glob(f"{path.name}.distrusted-*"))
    for file in kept:
        say(f"{own.node_id}: {file} was set aside: look into it, then move it away")
    return waiting.fault is not None


async def _verify(own: Settings) -> list[Verification]:
    database = Database(own.database.url)
    try:
        return [await verify(database, node) for node in await nodes(database)]
    finally:
        await database.close()


async def _export(own: Settings, since: datetime | None) -> None:
    database = Database(own.database.url)
    try:
        for node in await nodes(database):
            async for chained in read(database, node, since=since):
                event = chained.event
                line = {
                    "node": node,
                    "seq": chained.seq,
                    "at": chained.at.isoformat(),
                    "name": event.name,
                    "tenant": event.tenant_id,
                    "actor": event.actor,
                    "subject": event.subject,
                    "session": event.session_id,
                    "source": event.source,
                    "outcome": event.outcome,
                    "details": dict(event.details),
                    "hash": chained.hash,
                }
                say(json.dumps(line, ensure_ascii=False))
    finally:
        await database.close()
