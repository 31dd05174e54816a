"""What the stores of auth share: a database, a tenant, and statements whose row count decides."""

from typing import Any

from common.db import Database
from common.ids import TenantId


class TenantStore:
    """Every query of a subclass names the tenant."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database = database
        self._tenant = tenant_id

    async def _changed(self, statement: Any) -> bool:
        return (await self._database.execute(statement)).rowcount == 1
