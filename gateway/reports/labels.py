"""Japanese labels of what reports list: events, outcomes, reasons, endings, follow-ups. Pure data.

Counterparts: `gateway.reports.layout` and `.sheet`. A name without a label is shown as it is, so nothing vanishes.
"""

from collections.abc import Mapping
from typing import Final

from policy.bcp.audit_names import BcpAudit
from policy.bcp.injects import Inject, Injects
from policy.bcp.model import RefusalCode
from policy.model import ReasonCode

NO_CLASS: Final = "-"

STEPS: Final[Mapping[str, str]] = {
    BcpAudit.DRAFT_DECLARATION: "起案",
    BcpAudit.PROPOSE_DECLARATION: "申請",
    BcpAudit.DECLARE_ALONE: "宣言（一人）",
    BcpAudit.APPROVE_DECLARATION: "承認（発動）",
    BcpAudit.REJECT_DECLARATION: "差戻し",
    BcpAudit.LAPSE_DECLARATION: "失効（承認なし）",
    BcpAudit.PROPOSE_EXTENSION: "延長の申請",
    BcpAudit.APPROVE_EXTENSION: "延長の承認",
    BcpAudit.REJECT_EXTENSION: "延長の差戻し",
    BcpAudit.DROP_EXTENSION: "延長の失効（承認なし）",
    BcpAudit.RATIFY_DECLARATION: "追認",
    BcpAudit.NARROW_DECLARATION: "縮小",
    BcpAudit.RECOVER_DECLARATION: "復旧の開始",
    BcpAudit.LIFT_DECLARATION: "解除",
    BcpAudit.EXPIRE_DECLARATION: "期限による終了",
    BcpAudit.GIVE_WAY: "別の宣言による終了",
    BcpAudit.REMIND_DECLARATION: "終了の予告",
    BcpAudit.DISTRUST_DECLARATION: "宣言の改ざんの疑い",
}

STEP_NOTES: Final[Mapping[str, str]] = {
    RefusalCode.NOT_POSSIBLE_NOW: "この状態ではできない操作",
    RefusalCode.SAME_PERSON: "申請した本人は承認できない",
    RefusalCode.NOBODY_LISTED: "発動権者がいない",
    RefusalCode.HIGHER_RANK: "上位者の不在の記録がない",
    RefusalCode.TOTP_NOT_FRESH: "ワンタイムコードの再確認が必要",
    RefusalCode.LAPSED: "承認の時間切れ",
    RefusalCode.OVER: "終了後の操作",
    RefusalCode.CONTENT_CHANGED: "画面の内容と署名の内容が違う",
    RefusalCode.ENDS_IN_PAST: "終了の日時が過去",
    RefusalCode.TOO_LONG: "期間が長すぎる",
    RefusalCode.TOO_EARLY_TO_EXTEND: "延長の手続きが早すぎる",
    RefusalCode.NOT_LONGER: "延長になっていない",
    RefusalCode.NOT_NARROWER: "縮小になっていない",
    RefusalCode.NOT_BREAK_GLASS: "追認の対象ではない",
    RefusalCode.RATIFY_FIRST: "先に追認が必要",
    RefusalCode.NEEDS_NEW: "新しい宣言が必要",
    RefusalCode.OTHER_WAS_FASTER: "別の操作が先に行われた",
}
"""Why a step was refused, by its code; other notes are people's own words."""

EVENTS: Final[Mapping[str, str]] = {
    **STEPS,
    "request-session": "接続の申込み",
    "queue-session": "待ち行列に入る",
    "admit-session": "席の割当て",
    "claim-seat": "取り置いた席の使用",
    "lapse-hold": "取り置いた席の期限切れ",
    "warn-preemption": "席の明渡しの予告",
    "withdraw-preemption": "席の明渡しの取消し",
    "preempt-session": "席の明渡し",
    "refuse-session": "接続の拒否（混雑など）",
    "deny-session": "接続の拒否（規則）",
    "attach-viewer": "接続",
    "take-over-session": "別の画面からの接続",
    "cut-viewer": "切断（規則）",
    "end-session": "接続の終了",
    "change-grant": "利用条件の変更",
    "pass-clipboard": "文字の受渡し",
    "block-clipboard": "文字の受渡しの拒否",
    "accept-login": "ログイン",
    "load-policy": "規則の変更",
    "lose-directory": "認証基盤の停止",
    "regain-directory": "認証基盤の復帰",
    "degraded-login": "縮退認証でのログイン",
    "rehearse-degraded-login": "縮退認証の確認（訓練の想定）",
    "lose-database": "データベースの停止",
    "regain-database": "データベースの復帰",
    "distrust-clock": "時計のずれの検出",
    "trust-clock": "時計のずれの解消",
    "open-vouch": "本人確認の開始（1人目）",
    "confirm-vouch": "本人確認の完了（2人目）",
    "enrol-temporary-totp": "一時的な認証アプリの登録",
    "end-temporary-totp": "一時的な認証アプリの終了",
    "use-recovery-code": "リカバリーコードの使用",
    "issue-emergency-card": "緊急カードの発行",
    "revoke-emergency-card": "緊急カードの失効",
    "restore-normal": "平常への復帰の作業",
    "announce-notice": "お知らせの作成",
    "send-notices": "お知らせの送信",
    "switch-channel": "別の手段での送信",
    "read-notice": "お知らせの確認",
    "answer-notice": "業務可否の回答",
}

BROKEN: Final = (
    "lose-directory",
    "regain-directory",
    "lose-database",
    "regain-database",
    "distrust-clock",
    "trust-clock",
    "degraded-login",
    "open-vouch",
    "confirm-vouch",
    "enrol-temporary-totp",
    "end-temporary-totp",
    "use-recovery-code",
    "issue-emergency-card",
    "revoke-emergency-card",
)
"""What is counted as work with broken infrastructure."""

OUTCOMES: Final[Mapping[str, str]] = {"ok": "成功", "denied": "拒否", "failed": "失敗"}

REASONS: Final[Mapping[str, str]] = {
    ReasonCode.ZONE_UNREACHABLE: "ガードレール：マイナンバー利用事務系には接続できない",
    ReasonCode.ZONE_UNKNOWN: "ガードレール：系統が不明な接続先",
    ReasonCode.OTHER_TENANT: "ガードレール：他団体の接続先",
    ReasonCode.SUSPENDED: "ガードレール：停止中の職員",
    ReasonCode.TOTP_REQUIRED: "ガードレール：ワンタイムコードの再確認が必要",
    ReasonCode.PASSWORD_TOO_OLD: "ガードレール：再ログインが必要",
    ReasonCode.FORBIDDEN_BY_RULE: "規則で禁止",
    ReasonCode.CAPACITY: "混雑",
    ReasonCode.NOT_ASSIGNED: "割り当てなし",
    ReasonCode.OUTSIDE_HOURS: "利用時間外",
    ReasonCode.NOT_FROM_HERE: "許可されていない場所",
    ReasonCode.DEVICE_NOT_ALLOWED: "許可されていない端末",
    ReasonCode.POLICY_ERROR: "判定できない",
    **{f"drill:{inject}": f"訓練の想定：{inject.name_ja}" for inject in Inject},
    "no_pool": "接続先がない",
    "pool_full": "席が満席",
    "queue_full": "待ち行列が満員",
    "person_limit": "同時接続数の上限",
}

ENDINGS: Final[Mapping[str, str]] = {
    "user_logged_out": "本人の終了",
    "signed_out": "ログインの終了",
    "taken_over": "別の画面への切替え",
    "idle": "無操作",
    "total_limit": "利用時間の上限",
    "admin": "管理者による終了",
    "policy": "規則による終了（宣言の終了を含む）",
    "desktop_ended": "デスクトップの終了",
    "desktop_failed": "デスクトップの障害",
    "target_unreachable": "接続先に届かない",
    "protocol_violation": "通信の異常",
    "gateway_stopping": "中継装置の停止",
    "audit_unavailable": "記録できないため中止",
    "preempted": "優先業務への明渡し",
    "hold_lapsed": "順番が来ても接続がなかった",
}

CLASSES: Final[Mapping[str, str]] = {
    "P0": "P0 対策本部・応急",
    "P1": "P1 人命・避難所（3時間以内）",
    "P2": "P2 1日以内",
    "P3": "P3 3日以内",
    "P4": "P4 その他",
    NO_CLASS: "該当する業務なし",
}

NOTICES: Final[Mapping[str, str]] = {
    "approval_wanted": "承認の依頼",
    "extension_wanted": "延長の承認の依頼",
    "turned_down": "差戻し・失効",
    "reminder": "終了の予告",
    "begun": "発動",
    "extended": "延長",
    "ratified": "追認",
    "narrowed": "縮小",
    "recovery": "復旧",
    "ended": "終了",
}


def label(table: Mapping[str, str], name: str) -> str:
    """The label, or the name itself."""
    return table.get(name, name)


def pretended(injects: Injects) -> tuple[str, ...]:
    """What a drill pretends, in words."""
    found = (
        (Inject.ABSENT, f"（約{injects.absent_percent}％）" if injects.absent_percent else ""),
        (Inject.DIRECTORY_OFF, "（ログインごとに確認を記録）" if injects.directory_off else ""),
        (Inject.SITE_DOWN, f"（{'、'.join(sorted(injects.sites_down))}）" if injects.sites_down else ""),
        (Inject.HALF_CAPACITY, "（訓練用の接続先）" if injects.half_capacity else ""),
    )
    return tuple(f"{inject.name_ja}{text}" for inject, text in found if text)
