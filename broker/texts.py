"""What a person is told about a session's stage and its end, in Japanese and English. Pure.

The texts say what to do next and never name a machine, an address or a cause inside: those are in the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.models import EndReason
from broker.states import SessionState


@dataclass(frozen=True, slots=True)
class StageText:
    """One text in both languages."""

    ja: str
    en: str


STAGE_TEXT: Final[Mapping[SessionState, StageText]] = {
    SessionState.REQUESTED: StageText("受け付けました", "Request received"),
    SessionState.QUEUED: StageText("空きを待っています", "Waiting for a free desktop"),
    SessionState.STARTING: StageText("デスクトップを起動しています", "Starting your desktop"),
    SessionState.READY: StageText("接続できます", "Ready to connect"),
    SessionState.ACTIVE: StageText("使用中です", "In use"),
    SessionState.DISCONNECTED: StageText(
        "切断中です（作業中の画面は残っています）", "Disconnected (your work is still open)"
    ),
    SessionState.PARKED: StageText(
        "緊急の業務に席をゆずっています（作業中の画面は残っています）",
        "Your seat is used for urgent work (your work is still open)",
    ),
    SessionState.ENDING: StageText("終了しています", "Ending"),
    SessionState.ENDED: StageText("終了しました", "Ended"),
}

END_TEXT: Final[Mapping[EndReason, StageText]] = {
    EndReason.USER_LOGGED_OUT: StageText("ログオフしました。", "You logged off."),
    EndReason.SIGNED_OUT: StageText(
        "ログアウトしたか、ログインの期限が切れたため、画面を切断しました。デスクトップの作業は残っています。",
        "You signed out or your sign-in ran out, so the screen was disconnected. Your work on the desktop is still "
        "there.",
    ),
    EndReason.TAKEN_OVER: StageText(
        "別の画面からこのデスクトップに接続したため、この画面は切断されました。心当たりがない場合は情報システム担当へ連絡してください。",
        "This desktop was opened from another screen, so this one was disconnected. "
        "If that was not you, contact your IT desk.",
    ),
    EndReason.IDLE: StageText(
        "しばらく操作がなかったため切断しました。作業はしばらく残っています。続けるにはもう一度接続してください。",
        "You were disconnected because nothing was done for a while. Your work is kept for some time: connect again to "
        "go on.",
    ),
    EndReason.TOTAL_LIMIT: StageText(
        "1回に利用できる時間の上限に達したため終了しました。",
        "The time allowed for one session is used up.",
    ),
    EndReason.ADMIN: StageText(
        "管理者が終了しました。詳しくは情報システム担当へ問い合わせてください。",
        "An administrator ended it. Ask your IT desk for the reason.",
    ),
    EndReason.POLICY: StageText(
        "利用できる条件から外れたため切断しました。条件は「デスクトップ一覧」で確認できます。",
        "You were disconnected because the conditions of use no longer hold. See “My desktops” for them.",
    ),
    EndReason.DESKTOP_ENDED: StageText(
        "デスクトップがログオフまたは終了しました。", "The desktop logged off or shut down."
    ),
    EndReason.DESKTOP_FAILED: StageText(
        "デスクトップを起動または継続できませんでした。もう一度お試しください。続く場合は情報システム担当へ連絡してください。",
        "The desktop could not be started or kept running. Try again. If it goes on, contact your IT desk.",
    ),
    EndReason.TARGET_UNREACHABLE: StageText(
        "デスクトップにつながりません。少し待ってからもう一度接続してください。",
        "The desktop cannot be reached. Wait a moment and connect again.",
    ),
    EndReason.PROTOCOL_VIOLATION: StageText(
        "許可されていない通信を検出したため終了しました。情報システム担当へ連絡してください。",
        "It was ended because something that is not allowed was sent. Contact your IT desk.",
    ),
    EndReason.GATEWAY_STOPPING: StageText(
        "保守のため一時的に切断しました。まもなく自動的に再接続します。",
        "Disconnected for maintenance. You will be connected again shortly.",
    ),
    EndReason.AUDIT_UNAVAILABLE: StageText(
        "記録ができないため利用を開始できません。情報システム担当へ連絡してください。",
        "It cannot start because it could not be recorded. Contact your IT desk.",
    ),
    EndReason.PREEMPTED: StageText(
        "緊急の業務に席をゆずるため切断しました。デスクトップと作業中の画面は残っています。もう一度並ぶと、順番を早めてお待ちいただけます。",
        "You were disconnected for urgent work. Your desktop and your open work are kept. Queue again to wait, ahead "
        "of newer requests.",
    ),
    EndReason.HOLD_LAPSED: StageText(
        "順番が来ましたが接続がなかったため、次の方に席をゆずりました。もう一度並ぶと、順番を早めてお待ちいただけます。",
        "Your turn came and nobody connected, so the seat went to the next person. Queue again to wait, ahead of newer "
        "requests.",
    ),
}
