"""What the declarations of the moment mean for one person: for the list of desktops, and for a viewer at its desktop.

Counterpart: `gateway/notices/banners.py` has the words. From memory alone: it is asked for by every open page when
something is declared.
"""

from collections.abc import Sequence

from auth.models import Identity
from broker.models import DesktopSession, Pool
from gateway.facts import resource, subject
from gateway.notices.banners import losing_basis, session_banners
from gateway.schemas import DeclaredAnswer
from gateway.services import Services


def own_notices(
    own: Services, who: Identity, held: Sequence[tuple[Pool, DesktopSession | None]]
) -> list[DeclaredAnswer]:
    """Of these pools, each with the person's session in it: first the sessions that go on by grace alone."""
    losing = [
        losing_basis(kept.lost, pool, kept.until)
        for pool, session in held
        if session and (kept := own.judge.grace(session.id)) is not None
    ]
    declared = session_banners(own.bcp.active(), subject(who, own.duties), [resource(pool) for pool, _ in held])
    return [
        DeclaredAnswer(kind=banner.kind, text_ja=banner.text_ja, text_en=banner.text_en, until=banner.until)
        for banner in (*losing, *declared)
    ]
