"""Whether a grant may open a desktop now. Pure. Counterparts: `policy/`, which alone mints grants, `broker/sessions.py`
and `broker/attachments.py`, which take nothing else."""

from datetime import datetime, timedelta
from typing import Final

from broker.models import Redeemed
from broker.settings import SessionSettings
from common.errors import ErrorCode, KakehashiError
from policy.model import Action, Grant

_OPENING: Final = frozenset({Action.CONNECT, Action.VIEW})
_CLOCK_SLACK: Final = timedelta(seconds=5)


def check_grant(grant: Grant, now: datetime, settings: SessionSettings, redeemed: Redeemed | None = None) -> None:
    """The grant is to open a desktop, fresh, of one tenant, and about the redeemed session's person and pool.

    Raises KakehashiError(FORBIDDEN).
    """
    age = now - grant.decided_at
    fits = (
        grant.action in _OPENING
        and -_CLOCK_SLACK <= age <= timedelta(seconds=settings.grant_max_age_seconds)
        and grant.subject.tenant_id == grant.resource.tenant_id
    )
    if fits and redeemed is not None:
        session = redeemed.session
        fits = (
            grant.subject.user_id == redeemed.user_id == session.user_id
            and grant.resource.pool_id == session.pool_id
            and grant.resource.tenant_id == session.tenant_id
        )
    if not fits:
        raise KakehashiError("the grant is old or for something else", code=ErrorCode.FORBIDDEN)
