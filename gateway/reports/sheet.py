"""A report as CSV for spreadsheets of Japanese offices: UTF-8 with byte order mark, CRLF, Japanese column names. Pure.

Counterparts: `gateway.reports.layout` (the tables), `broker.duties.csv_files` (the guard against formulas). Old
programs get CP932 through `broker.duties.csv_files.to_cp932`, which names the characters that it has to replace.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from broker.duties.csv_files import BOM, guarded
from common.era import short
from gateway.notices.model import Ability
from gateway.reports.labels import ENDINGS, EVENTS, OUTCOMES, REASONS, label
from gateway.reports.layout import Facts, Grid, Note, parts, title
from gateway.reports.model import Entry, Report

ENTRY_TITLES: Final = (
    "日時",
    "出来事",
    "人",
    "対象",
    "接続先",
    "結果",
    "理由・内容",
    "ふだんの規則でも許可",
    "宣言番号",
    "規則",
    "接続元",
    "接続番号",
    "記録装置",
    "記録番号",
    "区分",
)
_NORMAL: Final = {True: "はい", False: "いいえ", None: "対象外"}
_REASONS: Final = {
    **{str(code): text for code, text in (*REASONS.items(), *ENDINGS.items())},
    **{str(ability): ability.name_ja for ability in Ability},
}


def entries_csv(report: Report) -> str:
    """Every event of the report, one a line."""
    mark = "訓練" if report.drill else "実施"
    return _written([ENTRY_TITLES, *(_row(entry, mark) for entry in report.entries)])


def summary_csv(report: Report, digest: str) -> str:
    """The tables of the printed report, one below the other, each row with its part's name before it."""
    rows: list[Sequence[str]] = [("区分", "項目", "値")]
    rows += [("表題", "", title(report)), ("宣言番号", "", report.declaration_id), ("SHA-256", "", digest)]
    for part in parts(report):
        for block in part.blocks:
            match block:
                case Facts(facts):
                    rows.extend((part.heading, name, value) for name, value in facts)
                case Grid(titles, _, _, found, empty):
                    rows.append((part.heading, *titles))
                    rows.extend((part.heading, *row) for row in found or ((empty,),))
                case Note(text):
                    rows.append((part.heading, "", text))
    return _written(rows)


def _row(entry: Entry, mark: str) -> tuple[str, ...]:
    return (
        short(entry.at),
        label(EVENTS, entry.name),
        entry.person,
        entry.subject,
        entry.pool_id,
        label(OUTCOMES, entry.outcome),
        label(_REASONS, entry.reason),
        _NORMAL[entry.normal_allowed],
        entry.declarations,
        entry.rules,
        entry.source,
        entry.session_id,
        entry.node_id,
        str(entry.seq),
        mark,
    )


def _written(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return BOM + out.getvalue()
