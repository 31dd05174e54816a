"""A notice to print and put up, as PDF. Counterparts: `gateway.notices.texts`, `common.paper`."""

from common.era import moment_ja
from common.paper import Fonts, Paper
from gateway.notices.model import Notice
from gateway.notices.texts import DRILL_EN, DRILL_JA, Row, Words


def pdf(notice: Notice, words: Words, *, issuer: str, fonts: Fonts) -> bytes:
    """The notice as PDF. Takes seconds of processor time: call it in a thread."""
    paper = Paper(
        fonts,
        title=words.subject_ja,
        issuer=f"{issuer}　{moment_ja(notice.at)}",
        made_at=notice.at,
        foot=f"お知らせ番号 {notice.id}　宣言番号 {notice.declaration_id}",
        mark=f"{DRILL_JA} {DRILL_EN.strip()}" if words.drill else "",
    )
    paper.title(words.subject_ja)
    paper.text(words.lead_ja, size=12)
    paper.facts([(row.label_ja, row.value_ja) for row in words.rows], size=11)
    _closing(paper, words.closing_ja, 11)
    paper.heading(words.subject_en)
    paper.text(words.lead_en)
    paper.facts([_english(row) for row in words.rows], size=9)
    _closing(paper, words.closing_en, 9)
    return paper.pdf()


def _english(row: Row) -> tuple[str, str]:
    return row.label_en, row.value_en


def _closing(paper: Paper, text: str, size: float) -> None:
    if text:
        paper.text(text, size=size)
