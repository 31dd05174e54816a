"""All SQL of after-action reports. Counterpart: `gateway.reports.service`, the only importer.

A report is written once and never changed; a later one of the same declaration is a new edition beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Integer, String, Table, Text, UniqueConstraint, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from common.db import Database, UtcDateTime, metadata, take_turn
from common.ids import TenantId, new_id
from policy.bcp.model import Level

bcp_report: Final = Table(
    "bcp_report",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("declaration_id", String(64), nullable=False),
    Column("edition", Integer, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(320), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("level", String(16), nullable=True),
    UniqueConstraint("tenant_id", "declaration_id", "edition", name="uq_bcp_report_edition"),
)
_c: Final = bcp_report.c
_HEAD: Final[tuple[ColumnElement[Any], ...]] = (
    _c.id,
    _c.declaration_id,
    _c.edition,
    _c.made_at,
    _c.made_by,
    _c.sha256,
    _c.level,
)


@dataclass(frozen=True, slots=True)
class ReportHead:
    """What is known of a report without reading it."""

    id: str
    declaration_id: str
    edition: int
    made_at: datetime
    made_by: str
    sha256: str
    level: Level | None
    """The strongest that the declaration ever had; None in reports from before this was kept."""


class ReportStore:
    """Reads and adds."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def add(
        self,
        tenant_id: TenantId,
        declaration_id: str,
        *,
        made_at: datetime,
        made_by: str,
        sha256: str,
        level: Level,
        content: str,
        allows: Callable[[Sequence[ReportHead]], bool],
    ) -> ReportHead | None:
        """Keep a report as the next edition, if the declaration's others allow it. Nobody else adds meanwhile."""
        async with self._database.transaction() as connection:
            await take_turn(connection, f"reports {tenant_id} {declaration_id}")
            heads = await _heads(connection, tenant_id, declaration_id)
            if not allows(heads):
                return None
            edition = max((head.edition for head in heads), default=0) + 1
            head = ReportHead(new_id("rep"), declaration_id, edition, made_at, made_by, sha256, level)
            await connection.execute(
                insert(bcp_report).values(
                    tenant_id=tenant_id,
                    id=head.id,
                    declaration_id=declaration_id,
                    edition=edition,
                    made_at=made_at,
                    made_by=made_by,
                    sha256=sha256,
                    content=content,
                    level=str(level),
                )
            )
        return head

    async def get(self, tenant_id: TenantId, report_id: str) -> tuple[ReportHead, str] | None:
        """A report and its content."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                select(*_HEAD, _c.content).where(_c.tenant_id == tenant_id, _c.id == report_id)
            )
            row = found.one_or_none()
            return None if row is None else (_head(row), row.content)

    async def heads(self, tenant_id: TenantId, declaration_id: str | None = None) -> tuple[ReportHead, ...]:
        """All reports, or those of a declaration; newest first."""
        async with self._database.transaction() as connection:
            return await _heads(connection, tenant_id, declaration_id)


async def _heads(
    connection: AsyncConnection, tenant_id: TenantId, declaration_id: str | None
) -> tuple[ReportHead, ...]:
    query = select(*_HEAD).where(_c.tenant_id == tenant_id)
    if declaration_id is not None:
        query = query.where(_c.declaration_id == declaration_id)
    found = await connection.execute(query.order_by(_c.made_at.desc(), _c.edition.desc(), _c.id))
    return tuple(_head(row) for row in found)


def _head(row: Any) -> ReportHead:
    return ReportHead(
        row.id,
        row.declaration_id,
        row.edition,
        row.made_at,
        row.made_by,
        row.sha256,
        Level(row.level) if row.level else None,
    )
