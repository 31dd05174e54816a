"""The whole population and every pool, as BCP mode asks for them before somebody signs.

Counterpart: `policy.bcp.what_if`. People come from the directory, their duties and sites from the register.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from auth.models import Identity
from auth.service import AuthService
from broker.catalogue import Catalogue
from broker.duties.service import DutyService
from common.clock import Clock
from common.errors import ErrorCode, KakehashiError
from common.ids import TenantId
from gateway.facts import resource, subject
from policy.model import Resource, Subject

_FRESH_SECONDS: Final = 60.0


class GatewaySurroundings:
    """Reads the directory at most once a minute."""

    def __init__(
        self, tenant_id: TenantId, auth: AuthService, catalogue: Catalogue, duties: DutyService, clock: Clock
    ) -> None:
        self._tenant_id = tenant_id
        self._auth = auth
        self._catalogue = catalogue
        self._duties = duties
        self._clock = clock
        self._turn = asyncio.Lock()
        self._people: tuple[Identity, ...] = ()
        self._read_at: float | None = None

    async def identities(self) -> tuple[Identity, ...]:
        """Everybody who may sign in. Raises KakehashiError(DIRECTORY_UNAVAILABLE) when the directory never answered."""
        async with self._turn:
            now = self._clock.monotonic()
            if self._read_at is None or now - self._read_at >= _FRESH_SECONDS:
                found = await self._auth.everyone()
                if found is not None:
                    self._people, self._read_at = found, now
                elif self._read_at is None:
                    raise KakehashiError("the directory cannot be read", code=ErrorCode.DIRECTORY_UNAVAILABLE)
            return self._people

    async def people(self) -> Sequence[Subject]:
        """See `policy.bcp.surroundings.Surroundings`."""
        return [subject(identity, self._duties) for identity in await self.identities()]

    async def resources(self) -> Sequence[Resource]:
        """See `policy.bcp.surroundings.Surroundings`."""
        return [resource(pool) for pool in await self._catalogue.pools(self._tenant_id) if pool.enabled]
