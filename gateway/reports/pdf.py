"""Draws a report on A4 pages. Counterparts: `gateway.reports.layout` (what), `common.paper` (how).

Takes seconds of processor time: call it in a thread. The same report and fonts give the same file.
"""

from common.era import moment_ja
from common.paper import Column, Fonts, Paper
from gateway.reports.layout import Facts, Grid, Note, Part, parts, title
from gateway.reports.model import Report


def draw(report: Report, digest: str, fonts: Fonts) -> bytes:
    """The PDF file. `digest` (64 hex digits over the stored report) stands on every page."""
    name = title(report)
    paper = Paper(
        fonts,
        title=f"{name} {report.declaration_id}",
        issuer=f"{report.tenant_ja}　{name}　作成 {moment_ja(report.made_at)}",
        made_at=report.made_at,
        foot=f"宣言番号 {report.declaration_id}　SHA-256 {digest}",
        mark="【訓練】　この報告書は訓練の記録です" if report.drill else "",
    )
    paper.title(name)
    paper.text(f"{report.tenant_ja}　{report.plan_ja}　{report.level.name_ja}", size=12, bold=True)
    paper.text(f"作成：{moment_ja(report.made_at, weekday=True)}　作成者：{report.made_by}", size=9)
    if not report.final:
        paper.text("宣言または終了後の猶予が続いているときに作成した、途中経過の報告書です。", alarm=True)
    for part in parts(report):
        _draw_part(paper, part)
    return paper.pdf()


def _draw_part(paper: Paper, part: Part) -> None:
    paper.heading(part.heading)
    for block in part.blocks:
        match block:
            case Facts(rows):
                paper.facts(rows)
            case Grid(titles, shares, figures, rows, empty):
                if not rows:
                    paper.text(empty)
                    continue
                columns = [
                    Column(name, share, "right" if index in figures else "left")
                    for index, (name, share) in enumerate(zip(titles, shares, strict=True))
                ]
                paper.table(columns, rows)
            case Note(text):
                paper.text(text, size=9)
