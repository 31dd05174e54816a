"""What BCP mode asks of the rest of the gateway: who is there and what there is. A protocol; nothing is decided here.

Counterpart: the gateway, which implements it over directory, duties and catalogue.
"""

from collections.abc import Sequence
from typing import Protocol

from policy.model import Resource, Subject


class Surroundings(Protocol):
    """The whole population and every pool of the tenant, as the policy sees them."""

    async def people(self) -> Sequence[Subject]:
        """Everybody who may sign in. Substitutes of a duty have `plan.substitute_of(duty)` among their duties."""
        ...

    async def resources(self) -> Sequence[Resource]:
        """Every pool that is switched on."""
        ...
