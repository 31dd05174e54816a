"""People, pools and factors as the policy sees them. Counterparts: `gateway/judge.py`, `gateway/surroundings.py`."""

from auth.models import Identity, WebSession
from broker.duties.service import DutyService
from broker.models import Pool
from policy.model import FactorKind, Resource, Subject


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


def factor(session: WebSession) -> FactorKind:
    """What a web session rests on. Once temporary it stays so until the next login, whatever code came since."""
    if session.temporary_factor:
        return FactorKind.TEMPORARY
    return FactorKind.TOTP if session.totp_at else FactorKind.RECOVERY


def resource(pool: Pool) -> Resource:
    """A pool."""
    return Resource(
        tenant_id=pool.tenant_id, pool_id=pool.id, pool_class=pool.pool_class, zone=pool.zone, site=pool.site
    )
