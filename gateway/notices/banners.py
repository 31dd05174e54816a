"""The few words on the login page and in the pages of people who are signed in. Pure.

Counterparts: `GET /api/v1/notice` (before login: whether, not what), `GET /api/v1/desktops` (what concerns the caller).
They come from memory, so they are shown with the database, the mail and everything else away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.models import Pool
from common.era import moment_en, moment_ja
from gateway.notices.texts import DRILL_EN, DRILL_JA
from policy.bcp.model import Level
from policy.bcp.overlay import ActiveDeclaration
from policy.model import Resource, Subject


@dataclass(frozen=True, slots=True)
class Banner:
    """`kind` is a level's name; `until` is None before login."""

    kind: str
    text_ja: str
    text_en: str
    drill: bool
    until: datetime | None = None
    declaration_id: str | None = None


def login_banner(active: Sequence[ActiveDeclaration]) -> Banner | None:
    """What anybody may know: that BCP mode is on. `active` is strongest first."""
    if not active:
        return None
    strongest = active[0].declaration
    if strongest.drill:
        return Banner(
            strongest.level,
            f"{DRILL_JA}BCP（業務継続計画）の訓練をしています。実際の災害ではありません。",
            f"{DRILL_EN}A drill of the continuity plan (BCP) is running. There is no real emergency.",
            True,
        )
    match strongest.level:
        case Level.ALERT:
            ja = "BCP（業務継続計画）の警戒をしています。くわしい案内はログイン後に表示します。"
            en = "An alert under the continuity plan (BCP) is on. Sign in to see what it means for you."
        case Level.FIRST | Level.SECOND:
            ja = "BCP（業務継続計画）を発動しています。くわしい案内はログイン後に表示します。"
            en = "The continuity plan (BCP) is in force. Sign in to see what it means for you."
        case Level.RECOVERY:
            ja = "災害などからの復旧の段階です。くわしい案内はログイン後に表示します。"
            en = "We are recovering from an emergency. Sign in to see what it means for you."
    return Banner(strongest.level, ja, en, False)


def session_banners(
    active: Iterable[ActiveDeclaration], subject: Subject, resources: Sequence[Resource]
) -> tuple[Banner, ...]:
    """What concerns this person: every declaration that covers them at any of these targets, strongest first."""
    return tuple(
        _banner(item)
        for item in active
        if subject.user_id not in item.declaration.blocked
        and any(item.declaration.scope.covers(subject, resource) for resource in resources)
    )


def _banner(item: ActiveDeclaration) -> Banner:
    declaration, plan, until = item.declaration, item.plan, item.ends_at
    mark_ja, mark_en = (DRILL_JA, DRILL_EN) if declaration.drill else ("", "")
    end_ja, end_en = moment_ja(until), moment_en(until)
    level = declaration.level
    match level:
        case Level.ALERT:
            ja = f"「{plan.name.ja}」の警戒中です（{end_ja}まで）。利用できる範囲はふだんと同じです。"
            en = f'Alert under "{plan.name.en}" until {end_en}. What you may use is the same as usual.'
        case Level.FIRST | Level.SECOND:
            ja = f"「{plan.name.ja}」{level.name_ja}の期間中です（{end_ja}まで）。{plan.texts.allowed.ja}"
            en = f'{level.name_en} under "{plan.name.en}" until {end_en}. {plan.texts.allowed.en}'
        case Level.RECOVERY:
            ja = f"「{plan.name.ja}」の復旧の段階です。利用できる範囲はふだんの決まりに戻りました。"
            en = f'Recovery under "{plan.name.en}". The usual rules hold again.'
    contact_ja, contact_en = f"問い合わせ先：{plan.contact.ja}", f"Contact: {plan.contact.en}"
    return Banner(
        level, f"{mark_ja}{ja}{contact_ja}", f"{mark_en}{en} {contact_en}", declaration.drill, until, declaration.id
    )


def losing_basis(lost: ActiveDeclaration, pool: Pool, until: datetime) -> Banner:
    """For a session in that pool which has lost its basis and runs out its grace."""
    declaration, contact = lost.declaration, lost.plan.contact
    mark_ja, mark_en = (DRILL_JA, DRILL_EN) if declaration.drill else ("", "")
    return Banner(
        "losing_basis",
        f"{mark_ja}BCPによる利用が終わりました。「{pool.name_ja}」の接続は{moment_ja(until)}に切れます。"
        f"作業を保存してください。問い合わせ先：{contact.ja}",
        f'{mark_en}What the continuity plan allowed has ended. The connection to "{pool.name_en}" closes at '
        f"{moment_en(until)}. Save your work. Contact: {contact.en}",
        declaration.drill,
        until,
        declaration.id,
    )
