"""What no policy file, no plan and no declaration can widen: constants, added to every engine. Pure.

Counterpart: `policy.engine`, which adds them to whatever the file says. They are ordinary rules of the `guardrail`
layer (forbid or limit, never naming BCP), so that explanations show them like all others. They cannot be edited,
switched off or named by a file: ids that begin with "GR-" are refused there.

Of the twelve guardrails in docs/explanation/policy.md these are the ones that are policy decisions. TLS, the audit,
lock-out, single-use codes and separation of duty are enforced where they happen.
"""

from collections.abc import Mapping
from typing import Final

from policy.model import IDLE_LIMIT_CAP, TOTAL_LIMIT_CAP, FactorKind, ReasonCode, Zone
from policy.schema import Age, Bilingual, Effect, Layer, Oblige, Rule, When

PREFIX: Final = "GR-"
CREDENTIAL_AGE_CAP: Final = TOTAL_LIMIT_CAP
"""Password and second factor are asked for again after this, at the latest."""
LOW_PRIVILEGE: Final = "low-privilege"
"""Class of the pools that a temporary authenticator opens; none is, unless the municipality marks it."""


def _forbid(name: str, when: When, ja: str, en: str, message: Bilingual) -> Rule:
    return Rule(
        id=f"{PREFIX}{name}",
        layer=Layer.GUARDRAIL,
        effect=Effect.FORBID,
        name=Bilingual(ja=ja, en=en),
        when=when,
        message=message,
    )


def _limit(name: str, when: When, ja: str, en: str, oblige: Oblige) -> Rule:
    return Rule(
        id=f"{PREFIX}{name}",
        layer=Layer.GUARDRAIL,
        effect=Effect.LIMIT,
        name=Bilingual(ja=ja, en=en),
        when=when,
        oblige=oblige,
    )


GUARDRAILS: Final[tuple[Rule, ...]] = (
    _forbid(
        "TENANT",
        When(same_tenant=False),
        "他団体の端末へは接続できない",
        "No path to another municipality",
        Bilingual(ja="ほかの団体のデスクトップは利用できません。", en="This desktop belongs to another municipality."),
    ),
    _forbid(
        "SUSPENDED",
        When(suspended=True),
        "利用停止中の職員は接続できない",
        "A suspended person cannot connect",
        Bilingual(
            ja="利用が停止されています。情報システム担当へ連絡してください。",
            en="Your access is suspended. Contact your IT desk.",
        ),
    ),
    _forbid(
        "MY-NUMBER",
        When(zones=(Zone.MY_NUMBER,)),
        "マイナンバー利用事務系へは接続できない",
        "No path to the My Number zone",
        Bilingual(
            ja="マイナンバー利用事務系には庁外から接続できません。庁内の端末を使ってください。",
            en="The My Number zone cannot be reached from outside. Use a terminal in the office.",
        ),
    ),
    _forbid(
        "ZONE",
        When(zone_known=False),
        "接続系が不明な端末へは接続できない",
        "The zone must be known",
        Bilingual(
            ja="接続系が設定されていないため利用できません。情報システム担当へ連絡してください。",
            en="This desktop has no network zone set. Contact your IT desk.",
        ),
    ),
    _forbid(
        "TOTP",
        When(totp_age=Age(over=CREDENTIAL_AGE_CAP)),
        "多要素認証が必須（12時間以内）",
        "A second factor, not older than 12 hours",
        Bilingual(
            ja="ワンタイムコードの確認が必要です。もう一度ログインしてください。",
            en="A one-time code is needed. Sign in again.",
        ),
    ),
    _forbid(
        "TEMPORARY",
        When(factors=(FactorKind.TEMPORARY,), not_=When(pool_classes=(LOW_PRIVILEGE,))),
        "一時的な認証アプリで使えるのは限定利用のプールだけ",
        "A temporary authenticator opens low-privilege pools only",
        Bilingual(
            ja="一時的な認証アプリでログインしている間は利用できません。ご自分の認証アプリを登録し直すと利用できます。",
            en="Not while you are signed in with a temporary authenticator. Set up your own one again to use this.",
        ),
    ),
    _forbid(
        "PASSWORD",
        When(password_age=Age(over=CREDENTIAL_AGE_CAP)),
        "パスワードの確認が必須（12時間以内）",
        "A password check, not older than 12 hours",
        Bilingual(
            ja="ログインから時間が過ぎました。もう一度ログインしてください。",
            en="Your sign-in is too old. Sign in again.",
        ),
    ),
    _limit(
        "CLIPBOARD-OUT",
        When(zones=(Zone.MY_NUMBER, Zone.LGWAN)),
        "マイナンバー利用事務系・LGWAN接続系からは文字を持ち出せない",
        "No text leaves the My Number and LGWAN zones",
        Oblige(clipboard_out_chars=0),
    ),
    _limit(
        "LIMITS",
        When(),
        "無操作は30分、連続利用は12時間まで",
        "At most 30 minutes idle and 12 hours in all",
        Oblige(idle_limit=IDLE_LIMIT_CAP, total_limit=TOTAL_LIMIT_CAP),
    ),
)

REASONS: Final[Mapping[str, ReasonCode]] = {
    f"{PREFIX}TENANT": ReasonCode.OTHER_TENANT,
    f"{PREFIX}SUSPENDED": ReasonCode.SUSPENDED,
    f"{PREFIX}MY-NUMBER": ReasonCode.ZONE_UNREACHABLE,
    f"{PREFIX}ZONE": ReasonCode.ZONE_UNKNOWN,
    f"{PREFIX}TOTP": ReasonCode.TOTP_REQUIRED,
    f"{PREFIX}TEMPORARY": ReasonCode.TEMPORARY_FACTOR,
    f"{PREFIX}PASSWORD": ReasonCode.PASSWORD_TOO_OLD,
}
"""The reason each forbidding guardrail stands for, in the order in which they are told."""
