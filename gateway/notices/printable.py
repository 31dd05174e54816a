"""A notice to print and put up: as a page for the browser's printer, and as PDF. Counterparts: `gateway.notices.texts`,
`common.paper`.

The page has no script and no outside resource: it may be saved, mailed or opened where no network is. Everything that
people wrote is escaped.
"""

from html import escape
from typing import Final

from common.era import moment_ja
from common.paper import Fonts, Paper
from gateway.notices.model import Notice
from gateway.notices.texts import DRILL_EN, DRILL_JA, Row, Words

CSP: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the route sends with the page: its own style and nothing else."""
_STYLE: Final = """
@page { size: A4; margin: 15mm }
body { font: 12pt/1.7 "Noto Sans JP", "Noto Sans CJK JP", "BIZ UDPGothic", "Hiragino Sans", sans-serif; color: #1a1a1c;
  max-width: 180mm; margin: 0 auto; padding: 5mm }
.drill { background: #ce0000; color: #fff; font-weight: 700; text-align: center; padding: 2mm; font-size: 16pt }
h1 { font-size: 22pt; line-height: 1.4; margin: 6mm 0 3mm }
h2 { font-size: 15pt; margin: 8mm 0 2mm; border-top: 1px solid #767676; padding-top: 6mm }
dl { display: grid; grid-template-columns: 11em 1fr; border: 1px solid #767676; border-bottom: 0; margin: 4mm 0 }
dt, dd { margin: 0; padding: 2mm 3mm; border-bottom: 1px solid #767676; white-space: pre-line }
dt { font-weight: 700; background: #e8f1fe }
footer { font-size: 9pt; color: #626264; margin-top: 6mm }
"""


def page(notice: Notice, words: Words, *, issuer: str) -> str:
    """The notice as an HTML document, Japanese above English."""
    mark = f'<p class="drill">{DRILL_JA} {DRILL_EN.strip()}</p>' if words.drill else ""
    ja = "".join(f"<dt>{escape(row.label_ja)}</dt><dd>{escape(row.value_ja)}</dd>" for row in words.rows)
    en = "".join(f"<dt>{escape(row.label_en)}</dt><dd>{escape(row.value_en)}</dd>" for row in words.rows)
    return (
        f'<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{escape(words.subject_ja)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{mark}'
        f"<h1>{escape(words.subject_ja)}</h1><p>{escape(words.lead_ja)}</p><dl>{ja}</dl>"
        f"<p>{escape(words.closing_ja)}</p>"
        f'<section lang="en"><h2>{escape(words.subject_en)}</h2><p>{escape(words.lead_en)}</p><dl>{en}</dl>'
        f"<p>{escape(words.closing_en)}</p></section>{mark}"
        f"<footer>{escape(issuer)}　{escape(moment_ja(notice.at))}　{escape(notice.id)}</footer></body></html>"
    )


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
