"""A report as parts of a printed document: headings, facts, tables, in Japanese. Pure.

Counterparts: `gateway.reports.pdf` draws the parts, `gateway.reports.sheet` writes the same tables as CSV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from common.era import clock_ja, fiscal_year, length_ja, moment_ja
from gateway.reports.labels import CLASSES, ENDINGS, EVENTS, NOTICES, OUTCOMES, REASONS, STEP_NOTES, STEPS, label
from gateway.reports.model import Report, Step, Use
from policy.bcp.model import DeclarationState

NONE = "なし"
_STATES = {
    DeclarationState.DRAFT: "起案中",
    DeclarationState.AWAITING_APPROVAL: "承認待ち",
    DeclarationState.ACTIVE: "実施中",
    DeclarationState.LIFTED: "解除",
    DeclarationState.EXPIRED: "期限により終了",
    DeclarationState.LAPSED: "失効",
    DeclarationState.REJECTED: "差戻し",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: titles, shares of the width, which columns are figures, rows. Without rows it says `empty`."""

    titles: tuple[str, ...]
    shares: tuple[float, ...]
    figures: frozenset[int]
    rows: tuple[tuple[str, ...], ...]
    empty: str = NONE


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with what stands under it. `key` is stable."""

    key: str
    heading: str
    blocks: tuple[Facts | Grid | Note, ...]


def title(report: Report) -> str:
    """ "BCP実施報告書", 【訓練】 in a drill, （途中経過） while it is not final."""
    mark = "【訓練】" if report.drill else ""
    return f"{mark}BCP実施報告書{'' if report.final else '（途中経過）'}"


def parts(report: Report) -> tuple[Part, ...]:
    """The whole document, in order."""
    return (
        Part("overview", "1　概要", (_overview(report),)),
        Part("timeline", "2　経過", (_timeline(report),)),
        Part("rights", "3　広げた権限", (Note(f"期間中も禁止したこと：{report.forbidden_ja}"), _rights(report))),
        Part("use", "4　利用の状況", _use(report)),
        Part("waits", "5　待ち時間", (_waits(report),)),
        Part("refusals", "6　断った接続", (_refusals(report), Note(_guardrail_note(report)))),
        Part("broken", "7　障害時の利用（縮退認証など）", (_broken(report),)),
        Part("notices", "8　お知らせと回答", (_notices(report), _reach(report))),
        Part("score", "9　評価の指標", (_score(report), _duty_scores(report))),
        Part("follow_ups", "10　残った課題", (_follow_ups(report),)),
        Part("chains", "11　この報告書の根拠", (_chains(report),)),
    )


def _overview(report: Report) -> Facts:
    starts, ended = report.starts_at, report.ended_at
    until = ended or report.window_to
    rows = [
        ("団体", report.tenant_ja),
        ("年度", fiscal_year(starts or report.made_at).name_ja),
        ("区分", "訓練" if report.drill else "実際の宣言"),
        ("段階", report.level.name_ja + ("（一人による緊急の宣言）" if report.break_glass else "")),
        ("状態", _STATES[report.state]),
        ("理由", f"{report.cause.name_ja}：{report.reason}"),
        ("対象", report.scope_ja),
        ("BCP計画", f"{report.plan_ja}（{report.plan_id} 第{report.plan_version}版）"),
        ("開始", moment_ja(starts, weekday=True) if starts else "開始せず"),
        ("終了", moment_ja(ended, weekday=True) if ended else f"予定：{moment_ja(report.ends_at, weekday=True)}"),
        ("期間", length_ja(until - starts) if starts else "―"),
        ("個別に止めた人", _people(report.blocked)),
        ("連絡事項", report.end_note or NONE),
    ]
    if report.drill:
        rows.insert(3, ("訓練の想定", "\n".join(report.pretended) or NONE))
    return Facts(tuple(rows))


def _timeline(report: Report) -> Grid:
    rows = tuple(
        (
            clock_ja(step.at),
            label(STEPS, step.name),
            _person(step),
            label(OUTCOMES, step.outcome),
            label(STEP_NOTES, step.note),
        )
        for step in report.steps
    )
    return Grid(("日時", "出来事", "人", "結果", "備考"), (2.7, 1.8, 3.0, 0.8, 3.0), frozenset(), rows)


def _person(step: Step) -> str:
    place = step.title or step.department
    return f"{place} {step.person}".strip() + ("（職務代行）" if step.acting else "")


def _rights(report: Report) -> Grid:
    rows = tuple((right.item, right.level.name_ja, right.who, right.before, right.during) for right in report.rights)
    titles = ("項目", "段階", "対象の人", "ふだん", "期間中")
    return Grid(titles, (1.7, 1.3, 2.0, 1.8, 3.4), frozenset(), rows, "広げた権限はありません（警戒など）。")


def _use(report: Report) -> tuple[Facts | Grid | Note, ...]:
    overall = report.overall
    peak = f"{report.peak:,}接続（{moment_ja(report.peak_at)}）" if report.peak_at else NONE
    facts = Facts(
        (
            ("利用した人", f"{_people(overall.people)}　うち宣言による人 {_people(overall.people_widened)}"),
            ("接続の数", f"{overall.sessions:,}件　うち宣言による接続 {overall.sessions_widened:,}件"),
            ("利用時間の合計", _hours(overall.worked_seconds)),
            ("最大の同時接続", peak),
        )
    )
    note = Note("「宣言による」は、ふだんの規則だけでは許可されなかった接続です。兼務の人は業務ごとに数えます。")
    return (
        facts,
        note,
        _uses("優先度", report.by_class),
        _uses("業務", report.by_duty),
        _uses("接続先", report.by_pool),
        Grid(
            ("接続の終わり方", "件数", "人数"),
            (4, 1, 1),
            frozenset({1, 2}),
            tuple((label(ENDINGS, one.key), f"{one.count:,}", f"{one.people:,}") for one in report.endings),
        ),
    )


def _uses(name: str, found: Sequence[Use]) -> Grid:
    rows = tuple(
        (
            use.name,
            f"{use.people:,}",
            f"{use.people_widened:,}",
            f"{use.sessions:,}",
            f"{use.sessions_widened:,}",
            _hours(use.worked_seconds),
        )
        for use in found
    )
    titles = (name, "人数", "うち宣言", "接続", "うち宣言", "利用時間")
    return Grid(titles, (4, 1, 1.1, 1, 1.1, 1.6), frozenset({1, 2, 3, 4, 5}), rows, f"{name}：{NONE}")


def _waits(report: Report) -> Grid:
    rows = tuple(
        (
            label(CLASSES, wait.key),
            f"{wait.waited:,}",
            length_ja(timedelta(seconds=wait.median_seconds)),
            length_ja(timedelta(seconds=wait.longest_seconds)),
        )
        for wait in report.waits
    )
    return Grid(("優先度", "待った接続", "中央値", "最長"), (4, 1.2, 1.2, 1.2), frozenset({1, 2, 3}), rows)


def _refusals(report: Report) -> Grid:
    rows = tuple(
        (label(REASONS, one.code), one.pool_id, f"{one.count:,}", f"{one.people:,}") for one in report.refusals
    )
    return Grid(("理由", "接続先", "件数", "人数"), (4, 2, 1, 1), frozenset({2, 3}), rows)


def _guardrail_note(report: Report) -> str:
    hits = sum(one.count for one in report.refusals if one.guardrail)
    return f"このうち、宣言でも緩められない決まり（ガードレール）で断ったもの：{hits:,}件"


def _broken(report: Report) -> Grid:
    rows = tuple((label(EVENTS, one.key), f"{one.count:,}", f"{one.people:,}") for one in report.broken)
    return Grid(("出来事", "件数", "人数"), (4, 1, 1), frozenset({1, 2}), rows)


def _notices(report: Report) -> Grid:
    rows = tuple(
        (clock_ja(one.at), label(NOTICES, one.kind), f"{one.people:,}", f"{one.sent:,}", f"{one.not_sent:,}")
        for one in report.notices
    )
    titles = ("日時", "お知らせ", "対象の人", "送信", "失敗した試行")
    return Grid(titles, (2.8, 2.6, 1.2, 1.2, 1.6), frozenset({2, 3, 4}), rows)


def _reach(report: Report) -> Facts:
    reach = report.reach
    return Facts(
        (
            ("対象の人", _people(reach.people)),
            ("届いた人", _people(reach.told)),
            ("確認した人（既読）", _people(reach.read)),
            ("届かなかった人", _people(reach.not_reached)),
            (
                "業務可否の回答",
                (
                    f"業務可 {reach.can:,}人、一部可 {reach.partly:,}人、不可 {reach.cannot:,}人、"
                    f"回答なし {reach.no_answer:,}人"
                ),
            ),
        )
    )


def _score(report: Report) -> Facts:
    score = report.score
    seconds = score.seconds_to_declare
    declared = length_ja(timedelta(seconds=seconds)) if seconds is not None else "―"
    percent = f"（{score.p1_within_hour * 100 // score.p1_roster}%）" if score.p1_roster else ""
    rows = [
        ("申請から発動まで", f"{declared}（一人の署名で開始）" if score.alone else declared),
        ("P0・P1の職員のうち1時間以内に接続した人", f"{score.p1_within_hour:,}人／{score.p1_roster:,}人{percent}"),
        ("断った接続", f"{score.refused:,}件（{score.refused_people:,}人）"),
        ("優先業務への席の明渡し", f"{score.preempted:,}件"),
    ]
    if report.drill:
        kept_out = f"うち縮退認証では入れない {score.rehearsed_failed:,}件"
        rows += [
            ("欠勤の想定の人", _people(score.absent)),
            ("認証基盤の停止を想定したログイン", f"{score.rehearsed:,}件　{kept_out}"),
        ]
    return Facts(tuple(rows))


def _duty_scores(report: Report) -> Grid:
    rows = tuple(
        (one.name, *(f"{n:,}" for n in (one.roster, one.absent, one.within_hour, one.refused, one.preempted)))
        for one in report.score.duties
    )
    titles = ("業務", "名簿", "欠勤の想定", "1時間以内", "断った人", "席の明渡し")
    return Grid(titles, (4, 0.9, 1.4, 1.3, 1.2, 1.0), frozenset({1, 2, 3, 4, 5}), rows, "業務：名簿がありません。")


def _follow_ups(report: Report) -> Grid:
    rows = tuple((one.text, f"{one.count:,}", "□") for one in report.follow_ups)
    return Grid(("課題", "件数", "済"), (7, 1, 0.7), frozenset({1}), rows)


def _chains(report: Report) -> Facts:
    window = f"{clock_ja(report.window_from)}から{clock_ja(report.window_to)}まで"
    rows = [("集計した時間", window), ("明細の件数", f"{len(report.entries):,}件（CSV）")]
    rows += [
        (
            f"監査記録 {chain.node_id}",
            f"{chain.events:,}件（番号 {chain.first_seq:,}～{chain.last_seq:,}）\n末尾のハッシュ {chain.last_hash}",
        )
        for chain in report.chains
    ]
    return Facts((*rows, ("計画のハッシュ", report.plan_digest), ("規則のハッシュ", _rules(report))))


def _rules(report: Report) -> str:
    before, after = report.policy_before, report.policy_after
    if not before or not after:
        return f"発動時 {before or '―'}　終了時 {after or '―'}"
    return f"発動時 {before}　終了時 {after}（{'一致' if before == after else '一致しません'}）"


def _hours(seconds: int) -> str:
    return f"{seconds // 3600:,}時間{seconds // 60 % 60:02}分"


def _people(count: int) -> str:
    return f"{count:,}人"
