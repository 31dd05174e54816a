"""Which drill, if any, pretends to a person that the directory is away. Pure.

Counterpart: `auth/degraded.py`, which notes whether the person could have signed in without it. Nobody is kept out.
"""

from collections.abc import Iterable

from common.ids import PoolId
from policy.bcp.overlay import ActiveDeclaration
from policy.model import Resource, Subject


def rehearsing(active: Iterable[ActiveDeclaration], person: Subject) -> str | None:
    """The drill's id, when one with that inject covers the person wherever they work."""
    nowhere = Resource(tenant_id=person.tenant_id, pool_id=PoolId(""), pool_class="", zone=None, site=None)
    for item in active:
        drill = item.declaration
        if drill.drill and drill.injects.directory_off and drill.scope.covers(person, nowhere):
            return drill.id
    return None
