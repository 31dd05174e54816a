"""Values of broker and policy as the API shows them. Pure."""

from datetime import datetime
from functools import lru_cache

from broker.models import DesktopSession, Pool, Seats
from broker.states import SessionState
from broker.texts import END_TEXT, STAGE_TEXT
from broker.triage.views import Standing
from common.ids import WebSessionId
from gateway import capacity_rendering
from gateway.schemas import (
    DesktopAnswer,
    ObligationsAnswer,
    ReasonAnswer,
    SeatsAnswer,
    SessionAnswer,
    UnreachableAnswer,
)
from policy.bcp.returning import Kept
from policy.model import Obligations, Reason


def obligations(terms: Obligations) -> ObligationsAnswer:
    """The terms of a session."""
    return ObligationsAnswer(
        clipboard_in_chars=terms.clipboard_in_chars,
        clipboard_out_chars=terms.clipboard_out_chars,
        view_only=terms.view_only,
        watermark=terms.watermark,
        idle_limit_seconds=int(terms.idle_limit.total_seconds()),
        total_limit_seconds=int(terms.total_limit.total_seconds()),
        quality=terms.quality,
    )


def unreachable(since: datetime, instead: Pool | None) -> UnreachableAnswer:
    """A fixed desktop that did not answer, and what may be used in its place."""
    return UnreachableAnswer(
        since=since,
        text_ja="端末から応答がありません。電源が入っていないか、庁舎の電気や通信が止まっています。",
        text_en="The PC does not answer: it is switched off, or the building has no power or line.",
        instead_pool_id=instead.id if instead else None,
    )


def reason(why: Reason) -> ReasonAnswer:
    """Why something is refused, and from when it may be used."""
    return ReasonAnswer(code=why.code, text_ja=why.text_ja, text_en=why.text_en, available_from=why.available_from)


@lru_cache(maxsize=4096)
def desktop(pool: Pool, seats: Seats, said: Obligations | Reason) -> DesktopAnswer:
    """A pool with the terms on which it may be used, or why it may not; without what is one person's.

    Remembered, for thousands of open pages ask for the same at the same time: copy it to change anything.
    """
    return DesktopAnswer(
        pool_id=pool.id,
        name_ja=pool.name_ja,
        name_en=pool.name_en,
        zone=pool.zone,
        zone_ja=pool.zone.name_ja if pool.zone else "未設定",
        zone_en=pool.zone.name_en if pool.zone else "not set",
        kind=pool.kind,
        allowed=isinstance(said, Obligations),
        reason=reason(said) if isinstance(said, Reason) else None,
        obligations=obligations(said) if isinstance(said, Obligations) else None,
        session=None,
        seats=SeatsAnswer(used=seats.used, total=seats.total),
        unreachable=None,
    )


def session(
    found: DesktopSession,
    pool: Pool,
    now: datetime,
    viewed_by: WebSessionId,
    grace: Kept | None,
    standing: Standing,
) -> SessionAnswer:
    """A session as its owner sees it in the browser of that web session. `grace`: it goes on by that alone."""
    stage = STAGE_TEXT[found.state]
    end = END_TEXT[found.end_reason] if found.end_reason else None
    return SessionAnswer(
        id=found.id,
        pool_id=found.pool_id,
        name_ja=pool.name_ja,
        name_en=pool.name_en,
        state=found.state,
        stage_ja=stage.ja,
        stage_en=stage.en,
        end_reason=found.end_reason,
        end_text_ja=end.ja if end else None,
        end_text_en=end.en if end else None,
        short_code=found.short_code,
        created_at=found.created_at,
        active_seconds=found.active_seconds(now),
        obligations=obligations(found.terms),
        expires_at=found.expires_at,
        held_elsewhere=found.state is SessionState.ACTIVE and found.web_session_id != viewed_by,
        ends_at=grace.until if grace else None,
        queue=capacity_rendering.queue(standing),
        held_until=standing.held_until,
        warning=capacity_rendering.warning(standing),
    )
