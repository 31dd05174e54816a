"""The error tree and the one table from error code to HTTP status, WebSocket close code and public text.

Expected outcomes (a factor is needed, access is denied, a queue place) are values, not errors. `detail` is for the log
under the request id; the person only ever sees the public text of the code, so no error can leak what caused it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """Stable names that clients and operators may rely on."""

    BAD_REQUEST = "bad_request"
    NOT_SIGNED_IN = "not_signed_in"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    BUSY = "busy"
    TICKET_INVALID = "ticket_invalid"
    TARGET_UNREACHABLE = "target_unreachable"
    TARGET_REFUSED = "target_refused"
    TARGET_TIMED_OUT = "target_timed_out"
    AUDIT_UNAVAILABLE = "audit_unavailable"
    STORE_UNAVAILABLE = "store_unavailable"
    DIRECTORY_UNAVAILABLE = "directory_unavailable"
    CLOCK_WRONG = "clock_wrong"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a code, not a secret
    CONFIG = "config"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class PublicError:
    """What the other side learns of an error code."""

    http_status: int
    ws_close: int
    text_ja: str
    text_en: str
    retry_after_seconds: int | None = None
    """When trying again may help; sent as Retry-After."""


_DESKTOP_JA: Final = (
    "デスクトップに接続できませんでした。少し待ってからもう一度お試しください。"
    "続く場合は情報システム担当へ連絡してください。"
)
_DESKTOP_EN: Final = (
    "The desktop could not be reached. Wait a moment and try again. If it goes on, contact your IT desk."
)

PUBLIC: Final[Mapping[ErrorCode, PublicError]] = {
    ErrorCode.BAD_REQUEST: PublicError(
        400, 1008, "送信された内容に誤りがあります。", "What was sent is not in the right form."
    ),
    ErrorCode.NOT_SIGNED_IN: PublicError(
        401,
        4401,
        "ログインしていないか、時間が過ぎました。もう一度ログインしてください。",
        "You are not signed in, or your time ran out. Sign in again.",
    ),
    ErrorCode.FORBIDDEN: PublicError(403, 4403, "この操作は許可されていません。", "This action is not allowed."),
    ErrorCode.NOT_FOUND: PublicError(
        404,
        4404,
        "見つかりません。終了したか、利用できないものです。",
        "Not found. It has ended or is not yours to use.",
    ),
    ErrorCode.CONFLICT: PublicError(
        409,
        1008,
        "ほかの操作と重なりました。画面を読み込み直してください。",
        "Another action came first. Reload the page.",
    ),
    ErrorCode.METHOD_NOT_ALLOWED: PublicError(405, 1008, "この操作はできません。", "This cannot be done here."),
    ErrorCode.TOO_LARGE: PublicError(413, 1009, "送信された内容が大きすぎます。", "What was sent is too large."),
    ErrorCode.THROTTLED: PublicError(
        429,
        1013,
        "試行回数が多すぎます。しばらく待ってからもう一度お試しください。",
        "Too many tries. Wait a while and try again.",
    ),
    ErrorCode.BUSY: PublicError(
        503,
        1013,
        "ただいま混み合っています。しばらく待ってからもう一度お試しください。",
        "The service is full at the moment. Wait a while and try again.",
        retry_after_seconds=30,
    ),
    ErrorCode.TICKET_INVALID: PublicError(
        401,
        4401,
        "接続の許可が切れました。もう一度接続してください。",
        "The permission to connect has lapsed. Connect again.",
    ),
    ErrorCode.TARGET_UNREACHABLE: PublicError(502, 4502, _DESKTOP_JA, _DESKTOP_EN),
    ErrorCode.TARGET_REFUSED: PublicError(502, 4502, _DESKTOP_JA, _DESKTOP_EN),
    ErrorCode.TARGET_TIMED_OUT: PublicError(504, 4502, _DESKTOP_JA, _DESKTOP_EN),
    ErrorCode.AUDIT_UNAVAILABLE: PublicError(
        503,
        1013,
        "記録ができないため、新しい利用を開始できません。情報システム担当へ連絡してください。",
        "New work cannot start because it could not be recorded. Contact your IT desk.",
        retry_after_seconds=60,
    ),
    ErrorCode.STORE_UNAVAILABLE: PublicError(
        503,
        1013,
        "データベースに接続できないため、いまはこの操作ができません。使用中のデスクトップはそのまま使えます。"
        "しばらく待ってからもう一度お試しください。",
        "The database cannot be reached, so this cannot be done now. Desktops in use go on. Wait and try again.",
        retry_after_seconds=10,
    ),
    ErrorCode.DIRECTORY_UNAVAILABLE: PublicError(
        503,
        1013,
        "職員の名簿（ディレクトリ）に接続できないため、いまはこの操作ができません。しばらく待ってからもう一度お試しください。",
        "The staff directory cannot be reached, so this cannot be done now. Wait a while and try again.",
        retry_after_seconds=30,
    ),
    ErrorCode.CLOCK_WRONG: PublicError(
        503,
        1013,
        "サーバーの時計が合っていないため、新しい利用を開始できません。使用中のデスクトップはそのまま使えます。"
        "情報システム担当へ連絡してください。",
        "The server's clock is wrong, so new work cannot start. Desktops in use go on. Contact your IT desk.",
        retry_after_seconds=60,
    ),
    ErrorCode.SECRET_UNREADABLE: PublicError(
        500,
        1011,
        "内部でエラーが起きました。情報システム担当へ連絡してください。",
        "Something went wrong inside. Contact your IT desk.",
    ),
    ErrorCode.CONFIG: PublicError(
        500,
        1011,
        "設定に誤りがあります。情報システム担当へ連絡してください。",
        "The configuration is wrong. Contact your IT desk.",
    ),
    ErrorCode.INTERNAL: PublicError(
        500,
        1011,
        "内部でエラーが起きました。情報システム担当へ連絡してください。",
        "Something went wrong inside. Contact your IT desk.",
    ),
}


class KakehashiError(Exception):
    """Base of all our errors. `detail` goes to the log, never to the other side."""

    code: ErrorCode = ErrorCode.INTERNAL

    def __init__(self, detail: str = "", *, code: ErrorCode | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code

    @property
    def public(self) -> PublicError:
        """The row of the table for this error."""
        return PUBLIC[self.code]


class ConfigError(KakehashiError):
    """The configuration is wrong; `detail` names the setting and the remedy, and is shown to the operator."""

    code = ErrorCode.CONFIG


class NotFound(KakehashiError):
    """The thing does not exist, or the caller must not learn that it does."""

    code = ErrorCode.NOT_FOUND


class InvalidTransition(KakehashiError):
    """A state machine was asked for a step that its table does not hold."""

    code = ErrorCode.CONFLICT

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"no transition from {state} by {event}")
        self.state = state
        self.event = event


class TicketInvalid(KakehashiError):
    """A ticket is unknown, used, expired, or bound to somebody else."""

    code = ErrorCode.TICKET_INVALID


class Throttled(KakehashiError):
    """Too many tries; `retry_after_seconds` says when the next one counts."""

    code = ErrorCode.THROTTLED

    def __init__(self, retry_after_seconds: int, detail: str = "") -> None:
        super().__init__(detail or f"retry after {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class AuditUnavailable(KakehashiError):
    """An audit event could not be written: the caller must refuse the operation (fail closed)."""

    code = ErrorCode.AUDIT_UNAVAILABLE


class StoreUnavailable(KakehashiError):
    """The database does not answer."""

    code = ErrorCode.STORE_UNAVAILABLE


class SecretUnreadable(KakehashiError):
    """A sealed value was altered, moved to another owner, or sealed with a key that is not in the ring."""

    code = ErrorCode.SECRET_UNREADABLE


class TargetError(KakehashiError):
    """Base of what can go wrong between gateway and desktop."""

    code = ErrorCode.TARGET_UNREACHABLE


class TargetUnreachable(TargetError):
    """No connection: refused, no route, name unknown, or address not allowed."""


class TargetRefused(TargetError):
    """The desktop answered and said no: credentials, security type, certificate."""

    code = ErrorCode.TARGET_REFUSED


class TargetTimedOut(TargetError):
    """The desktop accepted and then stayed silent past the deadline."""

    code = ErrorCode.TARGET_TIMED_OUT
