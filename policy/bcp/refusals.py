"""What a person reads when a step of a declaration is not taken: one table, Japanese and English. Pure.

Counterpart: `policy.bcp.declaration`, which decides that a step is refused. Nothing here decides.
"""

from collections.abc import Mapping
from typing import Final

from common.errors import ErrorCode
from policy.bcp.model import Refusal, RefusalCode, Refused

_TEXTS: Final[Mapping[RefusalCode, tuple[str, str]]] = {
    RefusalCode.NOT_POSSIBLE_NOW: (
        "この宣言は今「{state}」のため、この操作はできません。画面を読み込み直してください。",
        "This cannot be done while the declaration is {state_en}. Reload the page.",
    ),
    RefusalCode.SAME_PERSON: (
        "申請した本人は承認できません。別の人が承認してください。",
        "The person who signed first cannot sign again. Another person must.",
    ),
    RefusalCode.NOBODY_LISTED: (
        "二人のうち少なくとも一人は、この範囲の発動権者でなければなりません。",
        "At least one of the two persons must be on the list of officials for this scope.",
    ),
    RefusalCode.HIGHER_RANK: (
        "代行順位が上の人（{names}）がいます。連絡が取れない場合は「上位者不在（職務代行）」を記録して署名してください。",
        "{names} rank higher. If they cannot be reached, sign with the note that you act in their place.",
    ),
    RefusalCode.TOTP_NOT_FRESH: (
        "ワンタイムコードの確認から5分を過ぎています。もう一度確認してから署名してください。",
        "Your one-time code was checked more than 5 minutes ago. Confirm it again, then sign.",
    ),
    RefusalCode.TOO_MANY_PROPOSALS: (
        "1時間に申請・提案できるのは1人{most}件までです。急ぐ場合は、ほかの人が申請してください。",
        "One person can propose {most} times an hour. If it is urgent, let somebody else propose.",
    ),
    RefusalCode.TOO_MANY_REPORTS: (
        "1つの宣言の報告書は、1時間に{most}件まで作成できます。作成済みの報告書を使うか、しばらく待ってください。",
        "A declaration gets {most} reports an hour. Use one that was made, or wait a while.",
    ),
    RefusalCode.LAPSED: (
        "30分以内に承認されなかったため失効しました。もう一度申請してください。",
        "It lapsed because nobody approved it within 30 minutes. Propose it again.",
    ),
    RefusalCode.OVER: ("この宣言は終了しています。", "This declaration has ended."),
    RefusalCode.CONTENT_CHANGED: (
        "画面に表示された内容と署名する内容が一致しません。読み込み直して、内容を確かめてください。",
        "What you saw is not what would be signed. Reload and look at it again.",
    ),
    RefusalCode.ENDS_IN_PAST: (
        "終了日時が現在より前です。これからの日時を指定してください。",
        "The end lies in the past. Give a moment to come.",
    ),
    RefusalCode.TOO_LONG: ("期間は最長 {limit} です。", "The longest duration is {limit_en}."),
    RefusalCode.TOO_EARLY_TO_EXTEND: (
        "延長できるのは終了の24時間前からです。",
        "It can be extended from 24 hours before its end.",
    ),
    RefusalCode.NOT_LONGER: (
        "新しい終了日時は、今の終了日時より後にしてください。",
        "The new end must be later than the present one.",
    ),
    RefusalCode.NOT_NARROWER: (
        "縮小だけができます（範囲を狭める、段階を下げる、早く終わる、個人を除く）。広げるには新しい宣言が必要です。",
        "It can only be made narrower: scope, level, end or persons. To widen it, make a new declaration.",
    ),
    RefusalCode.SCOPE_UNKNOWN: (
        "範囲に存在しない名前があります: {names}",
        "The scope names something that does not exist: {names}",
    ),
    RefusalCode.SCOPE_EMPTY: (
        "範囲を指定してください。全庁の場合は個別の名前を付けません。",
        "Name the scope. The whole municipality takes no names.",
    ),
    RefusalCode.LEVEL_NOT_DECLARABLE: (
        "宣言できるのは警戒、発動（第1次）、発動（第2次）です（訓練は発動だけ）。復旧へは発動中の宣言から移ります。",
        "Declare alert, level 1 or level 2 (a drill: level 1 or 2). Recovery follows from an active declaration.",
    ),
    RefusalCode.BREAK_GLASS_LEVEL: (
        "一人での緊急発動は第1次だけです。",
        "One person alone can declare level 1 only, and no drill.",
    ),
    RefusalCode.BREAK_GLASS_SCOPE: (
        "一人での緊急発動の範囲は一つだけです。",
        "One person alone can declare for one scope only.",
    ),
    RefusalCode.BREAK_GLASS_AGAIN: (
        "追認されなかった緊急発動から72時間は、一人での緊急発動をくり返せません。二人で宣言してください。",
        "For 72 hours after a break-glass that nobody ratified, it takes two persons.",
    ),
    RefusalCode.NOT_BREAK_GLASS: (
        "追認が必要な緊急発動ではありません。",
        "This is not a break-glass that waits to be ratified.",
    ),
    RefusalCode.RATIFY_FIRST: (
        "一人での緊急発動です。先に別の人が追認してください。",
        "One person declared this alone. Another person must ratify it first.",
    ),
    RefusalCode.NEEDS_NEW: (
        "警戒、復旧、訓練は延長できません。必要な場合は新しく宣言してください。",
        "Alert, recovery and drills cannot be extended. Declare again if needed.",
    ),
    RefusalCode.REAL_ONE_ACTIVE: (
        "実際の宣言が出ているため、訓練は始められません。",
        "No drill can begin while a real declaration is active.",
    ),
    RefusalCode.PLAN_UNKNOWN: ("BCP計画「{plan}」はありません。", "There is no BCP plan {plan!r}."),
    RefusalCode.PLAN_HAS_NO_DRILL: (
        "BCP計画「{plan}」に、この段階の訓練の定めがありません。",
        "The BCP plan {plan!r} has no drill profile for this level.",
    ),
    RefusalCode.PLAN_VERSION_REUSED: (
        "BCP計画「{plan}」が版を上げずに書き換えられています。版（version）を上げてください。",
        "The BCP plan {plan!r} was changed without a higher version.",
    ),
    RefusalCode.PLAN_VERSION_OLD: (
        "BCP計画「{plan}」の版は、第{next}版以上にしてください。ほかの人が先に新しい版を作っています。",
        "The version of the BCP plan {plan!r} must be {next} or higher: there is a newer one.",
    ),
    RefusalCode.PLAN_VERSION_UNKNOWN: ("計画のその版はありません。", "There is no such version of the plan."),
    RefusalCode.PLAN_NOT_WAITING: (
        "この版は承認待ちではありません。画面を読み込み直してください。",
        "This version does not wait to be adopted. Reload the page.",
    ),
    RefusalCode.PLAN_FAULTY: ("計画に誤りがあります。{ja}", "The plan has an error. {en}"),
    RefusalCode.SUPERSEDES_UNKNOWN: (
        "置き換える宣言は、発動中のものでなければなりません。",
        "The declaration to be replaced is not active.",
    ),
    RefusalCode.REASON_MISSING: (
        "理由を1~1,000文字で書いてください。",
        "Give the reason, 1 to 1,000 characters.",
    ),
    RefusalCode.INJECTS_NOT_IN_DRILL: (
        "想定（欠勤や停止など）を付けられるのは訓練だけです。",
        "Only a drill can pretend absences or failures.",
    ),
    RefusalCode.INJECTS_TOO_MANY: (
        "欠勤の想定は0～{most}%です。",
        "From 0 to {most} % can play absent.",
    ),
    RefusalCode.RESTORE_TOO_EARLY: (
        "宣言（この宣言またはほかの宣言）が続いているか、訓練では行えない作業です。宣言の解除のあとで行ってください。",
        "A declaration (this one or another) still holds, or a drill may not do this. Do it after the lifting.",
    ),
    RefusalCode.RESTORE_NEEDS_DIRECTORY: (
        "認証基盤が復旧してから、自分の認証アプリでふだんどおりログインして行ってください。",
        "Do it once the directory answers, logged in as usual with your own authenticator.",
    ),
    RefusalCode.OTHER_WAS_FASTER: (
        "ほかの人の操作が先に行われました。画面を読み込み直してください。",
        "Somebody else was faster. Reload the page.",
    ),
    RefusalCode.NOT_FOUND: ("その宣言はありません。", "There is no such declaration."),
}

_CODES: Final[Mapping[RefusalCode, ErrorCode]] = {
    RefusalCode.SAME_PERSON: ErrorCode.FORBIDDEN,
    RefusalCode.NOBODY_LISTED: ErrorCode.FORBIDDEN,
    RefusalCode.TOTP_NOT_FRESH: ErrorCode.FORBIDDEN,
    RefusalCode.BREAK_GLASS_AGAIN: ErrorCode.FORBIDDEN,
    RefusalCode.HIGHER_RANK: ErrorCode.BAD_REQUEST,
    RefusalCode.ENDS_IN_PAST: ErrorCode.BAD_REQUEST,
    RefusalCode.TOO_LONG: ErrorCode.BAD_REQUEST,
    RefusalCode.NOT_LONGER: ErrorCode.BAD_REQUEST,
    RefusalCode.NOT_NARROWER: ErrorCode.BAD_REQUEST,
    RefusalCode.SCOPE_UNKNOWN: ErrorCode.BAD_REQUEST,
    RefusalCode.SCOPE_EMPTY: ErrorCode.BAD_REQUEST,
    RefusalCode.LEVEL_NOT_DECLARABLE: ErrorCode.BAD_REQUEST,
    RefusalCode.BREAK_GLASS_LEVEL: ErrorCode.BAD_REQUEST,
    RefusalCode.BREAK_GLASS_SCOPE: ErrorCode.BAD_REQUEST,
    RefusalCode.PLAN_UNKNOWN: ErrorCode.BAD_REQUEST,
    RefusalCode.PLAN_HAS_NO_DRILL: ErrorCode.BAD_REQUEST,
    RefusalCode.REASON_MISSING: ErrorCode.BAD_REQUEST,
    RefusalCode.INJECTS_NOT_IN_DRILL: ErrorCode.BAD_REQUEST,
    RefusalCode.INJECTS_TOO_MANY: ErrorCode.BAD_REQUEST,
    RefusalCode.PLAN_FAULTY: ErrorCode.BAD_REQUEST,
    RefusalCode.PLAN_VERSION_UNKNOWN: ErrorCode.NOT_FOUND,
    RefusalCode.NOT_FOUND: ErrorCode.NOT_FOUND,
}
"""Everything else is a conflict with the present state."""


def refused(code: RefusalCode, **values: object) -> Refused:
    """The exception to raise, with its texts filled in."""
    text_ja, text_en = _TEXTS[code]
    refusal = Refusal(code, text_ja.format(**values), text_en.format(**values))
    return Refused(refusal, code=_CODES.get(code, ErrorCode.CONFLICT))
