"""The words of a notice in plain Japanese (です・ます) and English. Pure.

Counterparts: `gateway.notices.mail`, `.webhook` and `.printable` put the same words into their forms. A drill is marked
in the subject, at the top and at the end: no part that is forwarded or torn off can be taken for the real thing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from common.era import length_en, length_ja, moment_en, moment_ja
from gateway.notices.model import Actor, Content, NoticeKind
from policy.bcp.model import DeclarationState, Level, Role

DRILL_JA: Final = "【訓練】"
DRILL_EN: Final = "[DRILL] "
_DRILL_NOTE_JA: Final = "これは訓練です。実際の災害ではありません。"
_DRILL_NOTE_EN: Final = "This is a drill. There is no real emergency."


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled fact in both languages."""

    label_ja: str
    label_en: str
    value_ja: str
    value_en: str


@dataclass(frozen=True, slots=True)
class Words:
    """A whole notice. `closing` asks for the confirmation; empty where none is wanted."""

    subject_ja: str
    subject_en: str
    lead_ja: str
    lead_en: str
    rows: tuple[Row, ...]
    closing_ja: str
    closing_en: str
    drill: bool


def words(content: Content, *, tenant_ja: str, tenant_en: str, url: str) -> Words:
    """What the notice says. `url` is where people sign in and the officials decide."""
    subject_ja, subject_en = _subject(content)
    lead_ja, lead_en = _LEADS[content.kind](content)
    closing_ja, closing_en = _closing(content, url)
    return Words(
        subject_ja=f"{DRILL_JA if content.drill else ''}{subject_ja}（{tenant_ja}）",
        subject_en=f"{DRILL_EN if content.drill else ''}{subject_en} ({tenant_en})",
        lead_ja=(_DRILL_NOTE_JA if content.drill else "") + lead_ja,
        lead_en=(_DRILL_NOTE_EN + " " if content.drill else "") + lead_en,
        rows=_rows(content),
        closing_ja=closing_ja,
        closing_en=closing_en,
        drill=content.drill,
    )


def plain(words: Words) -> str:
    """The notice as lines of text: Japanese, then English."""
    mark_ja = [f"{DRILL_JA}{_DRILL_NOTE_JA}"] if words.drill else []
    mark_en = [f"{DRILL_EN}{_DRILL_NOTE_EN}"] if words.drill else []
    japanese = [f"■{row.label_ja}\n{row.value_ja}" for row in words.rows]
    english = [f"* {row.label_en}\n{row.value_en}" for row in words.rows]
    ja = [words.subject_ja, words.lead_ja, *japanese, words.closing_ja, *mark_ja]
    en = [words.subject_en, words.lead_en, *english, words.closing_en, *mark_en]
    parts = [*(part for part in ja if part), "-" * 40, *(part for part in en if part)]
    return "\n\n".join(parts) + "\n"


def _plan(content: Content) -> tuple[str, str]:
    return f"BCP（業務継続計画）「{content.plan_ja}」", f'the continuity plan (BCP) "{content.plan_en}"'


def _level(content: Content) -> tuple[str, str]:
    return content.level.name_ja, content.level.name_en


_SUBJECTS: Final[dict[NoticeKind, tuple[str, str]]] = {
    NoticeKind.APPROVAL_WANTED: ("至急：{level}の承認をお願いします", "Urgent: your approval is wanted: {level_en}"),
    NoticeKind.EXTENSION_WANTED: ("至急：{level}の延長の承認をお願いします", "Urgent: approve a later end: {level_en}"),
    NoticeKind.TURNED_DOWN: ("{level}の申請は承認されませんでした", "Not approved: {level_en}"),
    NoticeKind.REMINDER: ("{level}はあと{remaining}で終了します", "{level_en} ends in {remaining_en}"),
    NoticeKind.BEGUN: ("{level}のお知らせ", "Notice: {level_en}"),
    NoticeKind.EXTENDED: ("{level}を延長しました", "Extended: {level_en}"),
    NoticeKind.RATIFIED: ("緊急の単独発動が追認されました", "The emergency declaration was ratified"),
    NoticeKind.NARROWED: ("{level}の範囲を縮小しました", "Narrowed: {level_en}"),
    NoticeKind.RECOVERY: ("復旧の段階に入りました", "Recovery has begun"),
    NoticeKind.ENDED: ("{level}を終了しました", "Ended: {level_en}"),
}


def _subject(content: Content) -> tuple[str, str]:
    if content.kind is NoticeKind.BEGUN and content.break_glass:
        return f"緊急：一人による{content.level.name_ja}", f"Emergency: {content.level.name_en} by one person"
    ja, en = _SUBJECTS[content.kind]
    level_ja, level_en = _level(content)
    remaining = content.remaining
    return (
        ja.format(level=level_ja, remaining=length_ja(remaining) if remaining else ""),
        en.format(level_en=level_en, remaining_en=length_en(remaining) if remaining else ""),
    )


def _begun(content: Content) -> tuple[str, str]:
    (plan_ja, plan_en), (level_ja, level_en) = _plan(content), _level(content)
    if content.break_glass:
        return (
            (
                f"緊急のため、一人の判断で{plan_ja}の{level_ja}を始めました。"
                f"{moment_ja(content.ends_at)}までに別の人が追認しないと、自動的に終わります。"
            ),
            (
                f"In an emergency one person alone has started {plan_en}, {level_en}. Unless another person ratifies "
                f"it, it ends by itself at {moment_en(content.ends_at)}."
            ),
        )
    if content.level is Level.ALERT:
        return (
            f"{plan_ja}の警戒を始めました。利用できる範囲はふだんと変わりません。連絡が取れるようにして、備えてください。",
            f"An alert under {plan_en} has begun. What you may use is the same as usual. Stay reachable and prepare.",
        )
    return (
        f"{plan_ja}の{level_ja}を始めました。期間中、下の範囲で利用できることが広がります。",
        f"{level_en} under {plan_en} has begun. While it lasts, more is allowed, as stated below.",
    )


def _ended(content: Content) -> tuple[str, str]:
    (plan_ja, plan_en), (level_ja, level_en) = _plan(content), _level(content)
    if content.gave_way:
        why_ja, why_en = "別の宣言に替わったため、", "Because another declaration took its place, "
    elif content.state is DeclarationState.EXPIRED:
        why_ja, why_en = "期限になったため、", "Its time being over, "
    else:
        why_ja, why_en = "", ""
    ja = f"{why_ja}{plan_ja}の{level_ja}を終わりました。利用できる範囲はふだんの決まりに戻りました。"
    en = f"{why_en}{level_en} under {plan_en} has ended. The usual rules hold again."
    if content.level.widens is not None and content.grace and not content.gave_way:
        ja += f"広がった範囲で接続している人は、{length_ja(content.grace)}以内に作業を保存して接続を終えてください。"
        en += (
            f" If you are connected on the strength of it, save your work and disconnect within "
            f"{length_en(content.grace)}."
        )
    return ja, en


def _approval_wanted(content: Content) -> tuple[str, str]:
    until = content.lapses_at or content.ends_at
    who = content.actors[-1]
    return (
        (
            f"{who.name}さんが{_plan(content)[0]}の{content.level.name_ja}を申請しました。"
            f"{moment_ja(until)}までに承認がないと失効します。内容を確かめて、承認するか、差し戻してください。"
        ),
        (
            f"{who.name} has proposed {content.level.name_en} under {_plan(content)[1]}. It lapses at "
            f"{moment_en(until)} unless a second person approves. Look at it, then approve or turn it down."
        ),
    )


def _extension_wanted(content: Content) -> tuple[str, str]:
    until, wanted = content.lapses_at or content.ends_at, content.wanted_end or content.ends_at
    who = content.actors[-1]
    return (
        (
            f"{who.name}さんが{moment_ja(wanted)}までの延長を申請しました。"
            f"{moment_ja(until)}までに承認がないと、延長されません。"
        ),
        (
            f"{who.name} has proposed to extend it to {moment_en(wanted)}. It is not extended unless a second person "
            f"approves by {moment_en(until)}."
        ),
    )


def _turned_down(content: Content) -> tuple[str, str]:
    if content.state is DeclarationState.LAPSED:
        return (
            "時間内に承認されなかったため、申請は失効しました。必要なときは、もう一度申請してください。",
            "Nobody approved in time, so the proposal has lapsed. Propose again if it is still needed.",
        )
    return "申請は差し戻されました。何も変わっていません。", "The proposal was turned down. Nothing has changed."


def _reminder(content: Content) -> tuple[str, str]:
    remaining = content.remaining or content.grace
    return (
        (
            f"{_plan(content)[0]}の{content.level.name_ja}は、{moment_ja(content.ends_at)}に自動的に終わります"
            f"（あと{length_ja(remaining)}）。続ける必要があるときは、二人で延長の手続きをしてください。"
        ),
        (
            f"{content.level.name_en} under {_plan(content)[1]} ends by itself at {moment_en(content.ends_at)} "
            f"({length_en(remaining)} left). If it must go on, two persons have to extend it."
        ),
    )


def _extended(content: Content) -> tuple[str, str]:
    return (
        (
            f"{_plan(content)[0]}の{content.level.name_ja}を{moment_ja(content.ends_at)}まで延長しました。"
            "利用できることは変わりません。"
        ),
        (
            f"{content.level.name_en} under {_plan(content)[1]} now lasts until {moment_en(content.ends_at)}. "
            "What is allowed stays the same."
        ),
    )


def _ratified(content: Content) -> tuple[str, str]:
    return (
        f"一人の判断で始めた{content.level.name_ja}を別の人が追認しました。{moment_ja(content.ends_at)}まで続きます。",
        f"A second person has ratified what one person had started. It lasts until {moment_en(content.ends_at)}.",
    )


def _narrowed(content: Content) -> tuple[str, str]:
    return (
        (
            f"{_plan(content)[0]}の{content.level.name_ja}の範囲・期間・段階を縮小しました。"
            f"対象から外れた人は、{length_ja(content.grace)}以内に作業を保存して接続を終えてください。"
        ),
        (
            f"{content.level.name_en} under {_plan(content)[1]} was narrowed. If you are no longer covered, save your "
            f"work and disconnect within {length_en(content.grace)}."
        ),
    )


def _recovery(content: Content) -> tuple[str, str]:
    return (
        (
            f"{_plan(content)[0]}は復旧の段階に入りました。広がっていた範囲は終わり、ふだんの決まりに戻ります。"
            f"広がった範囲で接続している人は、{length_ja(content.grace)}以内に作業を保存して接続を終えてください。"
        ),
        (
            f"Recovery under {_plan(content)[1]} has begun: what was allowed in addition has ended. If you are "
            f"connected on the strength of it, save your work and disconnect within {length_en(content.grace)}."
        ),
    )


_LEADS: Final[dict[NoticeKind, Callable[[Content], tuple[str, str]]]] = {
    NoticeKind.APPROVAL_WANTED: _approval_wanted,
    NoticeKind.EXTENSION_WANTED: _extension_wanted,
    NoticeKind.TURNED_DOWN: _turned_down,
    NoticeKind.REMINDER: _reminder,
    NoticeKind.BEGUN: _begun,
    NoticeKind.EXTENDED: _extended,
    NoticeKind.RATIFIED: _ratified,
    NoticeKind.NARROWED: _narrowed,
    NoticeKind.RECOVERY: _recovery,
    NoticeKind.ENDED: _ended,
}
_ROLES: Final[dict[Role, tuple[str, str]]] = {
    Role.PROPOSED: ("申請", "proposed"),
    Role.APPROVED: ("承認", "approved"),
    Role.DECLARED: ("宣言", "declared"),
    Role.RATIFIED: ("追認", "ratified"),
    Role.EXTENSION_PROPOSED: ("延長の申請", "proposed the extension"),
    Role.EXTENSION_APPROVED: ("延長の承認", "approved the extension"),
    Role.NARROWED: ("縮小", "narrowed"),
    Role.RECOVERED: ("復旧の開始", "began the recovery"),
    Role.LIFTED: ("解除", "lifted"),
}


def actor_words(actor: Actor) -> tuple[str, str]:
    """ "危機管理監 佐藤 花子（承認・職務代行）" and the same in English."""
    ja, en = _ROLES[actor.role]
    place_ja = actor.title_ja or actor.department or ""
    place_en = actor.title_en or actor.department or ""
    acting_ja, acting_en = ("・職務代行", ", acting for a superior") if actor.acting else ("", "")
    return (
        f"{place_ja} {actor.name}（{ja}{acting_ja}）".strip(),
        f"{actor.name}{', ' + place_en if place_en else ''} ({en}{acting_en})",
    )


def _rows(content: Content) -> tuple[Row, ...]:
    who = [actor_words(actor) for actor in content.actors]
    starts = content.starts_at
    period_ja = f"{moment_ja(starts) if starts else '承認されたとき'}から{moment_ja(content.ends_at)}まで"
    period_en = f"{moment_en(starts) if starts else 'approval'} to {moment_en(content.ends_at)}"
    rows = [
        Row("宣言した人", "Declared by", "\n".join(ja for ja, _ in who), "\n".join(en for _, en in who)),
        Row("期間", "Period", period_ja, period_en),
        Row("対象", "Scope", content.scope_ja, content.scope_en),
        Row(
            "理由",
            "Reason",
            f"{content.cause.name_ja}：{content.reason}",
            f"{content.cause.name_en}: {content.reason}",
        ),
        Row("できること", "What you may do now", *_allowed(content)),
        Row("できないこと", "What stays forbidden", content.forbidden_ja, content.forbidden_en),
        Row("問い合わせ先", "Contact", content.contact_ja, content.contact_en),
    ]
    if content.note:
        rows.insert(4, Row("連絡事項", "Note", content.note, content.note))
    return tuple(rows)


_USUAL: Final = ("ふだんの決まりのとおりです。", "As usual.")
_AFTER_APPROVAL: Final = ("承認されたあと：", "Once approved: ")


def _allowed(content: Content) -> tuple[str, str]:
    if content.level.widens is None or content.kind in (NoticeKind.ENDED, NoticeKind.TURNED_DOWN):
        return _USUAL
    before = _AFTER_APPROVAL if content.kind is NoticeKind.APPROVAL_WANTED else ("", "")
    return before[0] + content.allowed_ja, before[1] + content.allowed_en


def _closing(content: Content, url: str) -> tuple[str, str]:
    match content.kind:
        case NoticeKind.APPROVAL_WANTED | NoticeKind.EXTENSION_WANTED | NoticeKind.REMINDER:
            return f"手続きはこちら：\n{url}", f"Decide here: {url}"
        case NoticeKind.BEGUN | NoticeKind.EXTENDED | NoticeKind.NARROWED:
            return (
                f"次の画面で、読んだことの確認と「業務可・一部可・不可」の回答をお願いします：\n{url}",
                f"Please confirm that you have read this, and say whether you can work, in part or not at all: {url}",
            )
        case NoticeKind.TURNED_DOWN | NoticeKind.RATIFIED | NoticeKind.RECOVERY | NoticeKind.ENDED:
            return "", ""
