"""What a person reads when a login step did not move on. Counterpart: `LoginErrorCode`; every code has a row (test)."""

from collections.abc import Mapping
from typing import Final

from auth.models import MOST_VOUCHES, LoginError, LoginErrorCode, VouchRefusal

_IT_JA: Final = "続く場合は情報システム担当へ連絡してください。"
_IT_EN: Final = "If it goes on, contact your IT desk."

TEXTS: Final[Mapping[LoginErrorCode, tuple[str, str]]] = {
    LoginErrorCode.LOGIN_FAILED: (
        f"ログインできませんでした。ユーザー名とパスワードを確認してください。{_IT_JA}",
        f"The login did not succeed. Check user name and password. {_IT_EN}",
    ),
    LoginErrorCode.CODE_WRONG: (
        "確認コードが違います。認証アプリに今表示されている6桁を入力してください。",
        "That code is not right. Type the six digits that your authenticator shows now.",
    ),
    LoginErrorCode.CODE_REUSED: (
        "この確認コードは使用済みです。次のコードが表示されるまで待って入力してください。",
        "That code was used already. Wait for the next one.",
    ),
    LoginErrorCode.RECOVERY_CODE_WRONG: (
        "リカバリーコードが違うか、使用済みです。別のリカバリーコードを入力してください。",
        "That recovery code is wrong or was used already. Try another one.",
    ),
    LoginErrorCode.THROTTLED: (
        "試行回数が多すぎます。しばらく待ってからもう一度お試しください。",
        "Too many tries. Wait a while and try again.",
    ),
    LoginErrorCode.DIRECTORY_UNAVAILABLE: (
        f"認証の基盤に接続できません。しばらく待ってからもう一度お試しください。{_IT_JA}",
        f"The directory cannot be reached. Wait a while and try again. {_IT_EN}",
    ),
    LoginErrorCode.DEGRADED_LOGIN_FAILED: (
        (
            "ログインできませんでした。認証の基盤に接続できないため、今は登録された職員だけがログインできます。"
            f"ユーザー名とパスワードを確認してください。{_IT_JA}"
        ),
        (
            "The login did not succeed. The directory cannot be reached, so only registered staff can sign in now. "
            f"Check user name and password. {_IT_EN}"
        ),
    ),
    LoginErrorCode.NOT_WHILE_DEGRADED: (
        "認証の基盤に接続できない間は、この操作はできません。認証アプリに表示されている6桁のコードを使ってください。",
        "This cannot be done while the directory is out of reach. Use the six digits that your authenticator shows.",
    ),
    LoginErrorCode.ACTIVATION_CODE_WRONG: (
        "有効化コードが違うか、期限が切れています。コードを伝えた担当者に確認してください。",
        "That activation code is wrong or too old. Ask the official who gave it to you.",
    ),
    LoginErrorCode.NOT_WITH_TEMPORARY_FACTOR: (
        "一時的な認証アプリではこの操作はできません。ふだんの認証アプリでログインしてください。",
        "This cannot be done with a temporary authenticator. Sign in with your own one.",
    ),
    LoginErrorCode.LOGIN_EXPIRED: (
        "ログインの途中で時間が過ぎました。最初からやり直してください。",
        "The login took too long. Start again.",
    ),
    LoginErrorCode.WRONG_STEP: (
        "この操作は今の段階ではできません。画面を読み込み直してください。",
        "That does not belong to this step. Reload the page.",
    ),
    LoginErrorCode.ENROLMENT_NOT_HERE: (
        "認証アプリの登録は庁内など決められた場所から行ってください。情報システム担当へ確認してください。",
        "An authenticator can only be set up from certain places, such as the office. Ask your IT desk.",
    ),
    LoginErrorCode.PASSWORD_CHANGE_UNAVAILABLE: (
        "パスワードの変更が必要ですが、ここでは変更できません。情報システム担当へ連絡してください。",
        "Your password must be changed, which is not possible here. Contact your IT desk.",
    ),
    LoginErrorCode.PASSWORD_TOO_SHORT: (
        "新しいパスワードが短すぎます。もっと長いパスワードにしてください。",
        "The new password is too short. Choose a longer one.",
    ),
    LoginErrorCode.PASSWORD_TOO_LONG: (
        "新しいパスワードが長すぎます。",
        "The new password is too long.",
    ),
    LoginErrorCode.PASSWORD_TOO_SIMPLE: (
        "新しいパスワードが組織の規則を満たしていません。別のパスワードにしてください。",
        "The new password does not meet your organisation's rules. Choose another one.",
    ),
    LoginErrorCode.PASSWORD_USED_BEFORE: (
        "以前に使ったパスワードは使えません。別のパスワードにしてください。",
        "That password was used before. Choose another one.",
    ),
    LoginErrorCode.PASSWORD_TOO_YOUNG: (
        "パスワードを変更したばかりのため、まだ変更できません。情報システム担当へ連絡してください。",
        "The password was changed too recently to change it again. Contact your IT desk.",
    ),
    LoginErrorCode.PASSWORD_REFUSED: (
        f"新しいパスワードは受け付けられませんでした。別のパスワードにしてください。{_IT_JA}",
        f"The new password was not accepted. Choose another one. {_IT_EN}",
    ),
}


def login_error(code: LoginErrorCode, *, retry_after_seconds: int | None = None) -> LoginError:
    """The error with its public texts."""
    text_ja, text_en = TEXTS[code]
    return LoginError(code, text_ja, text_en, retry_after_seconds)


VOUCH_TEXTS: Final[Mapping[VouchRefusal, tuple[str, str]]] = {
    VouchRefusal.NOT_ENTITLED: (
        "この操作は、決められた担当者だけができます。",
        "Only designated officials can do this.",
    ),
    VouchRefusal.TOTP_NOT_FRESH: (
        "認証アプリの確認コードをもう一度入力してから、5分以内に操作してください。",
        "Enter a code from your authenticator again, then do this within five minutes.",
    ),
    VouchRefusal.OWN_FACTOR_NEEDED: (
        "認証の基盤につながった状態で、自分の認証アプリを使ってログインし直してください。",
        "Sign in again with your own authenticator while the directory can be reached.",
    ),
    VouchRefusal.UNKNOWN_PERSON: (
        "その名前でログインしたことのある職員はいません。",
        "Nobody of that name has ever signed in.",
    ),
    VouchRefusal.ONESELF: (
        "自分自身を保証することはできません。",
        "You cannot vouch for yourself.",
    ),
    VouchRefusal.SAME_OFFICIAL: (
        "2人目は、別の担当者でなければなりません。",
        "The second official must be another person.",
    ),
    VouchRefusal.NO_AUTHENTICATOR: (
        "この職員はまだ認証アプリを登録していません。次のログインで登録の画面が出ます。",
        "This person has no authenticator yet: the next login asks to set one up.",
    ),
    VouchRefusal.ONE_RUNS_ALREADY: (
        "この職員の手続きはすでに進んでいます。一覧から続けるか、取り消してください。",
        "There is one under way for this person. Continue it from the list, or end it.",
    ),
    VouchRefusal.TOO_MANY: (
        f"1人が同時に保証できるのは{MOST_VOUCHES}人までです。要らなくなったものを取り消すか、ほかの担当者に頼んでください。",
        f"One official vouches for {MOST_VOUCHES} people at a time. End what is not needed, or ask another official.",
    ),
    VouchRefusal.OVER: (
        "この手続きは期限が切れたか、取り消されたか、ほかの担当者が確認しました。最初からやり直してください。",
        "It has run out, was ended, or was confirmed by another official. Start again.",
    ),
}

DEGRADED_BANNER: Final = (
    (
        "縮退認証でログインしています。認証の基盤に接続できないため、所属やグループは接続できていたときのままです。"
        "パスワードの変更、認証アプリの登録、リカバリーコードの発行はできません。復旧したら、ログインし直してください。"
    ),
    (
        "You signed in while the directory was out of reach: department and groups are as they were when it last "
        "answered. Passwords, authenticators and recovery codes cannot be changed. Sign in again once it is back."
    ),
)
TEMPORARY_BANNER: Final = (
    (
        "一時的な認証アプリでログインしています。期限が来ると使えなくなります。"
        "それまでに、情報システム担当で認証アプリを登録し直してください。"
    ),
    (
        "You signed in with a temporary authenticator. It stops working at its end: have your IT desk enrol you "
        "again before that."
    ),
)
