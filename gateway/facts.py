"""People and pools as the policy sees them. Counterparts: `gateway/judge.py`, `gateway/surroundings.py`."""

from auth.models import Identity
from broker.duties.service import DutyService
from broker.models import Pool
from policy.model import Resource, Subject


def subject(identity: Identity, duties: DutyService) -> Subject:
    """A person, with the duties and the site that the register gives them.

    Disabled accounts are signed out by auth: who is signed in is not suspended.
    """
    member = duties.book.member(identity.username)
    return Subject(
        tenant_id=identity.tenant_id,
        user_id=identity.user_id,
        username=identity.username,
        groups=identity.groups,
        department=identity.department,
        duties=duties.duties_of(identity.username),
        employment=identity.employment,
        suspended=False,
        site=member.site if member else None,
    )


def resource(pool: Pool) -> Resource:
    """A pool."""
    return Resource(
        tenant_id=pool.tenant_id, pool_id=pool.id, pool_class=pool.pool_class, zone=pool.zone, site=pool.site
    )
