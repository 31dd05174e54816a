"""A4 pages as PDF with an embedded, subset Japanese font and selectable text. The only place that imports the library.

Counterparts: the after-action report and the notice (gateway), the emergency card (auth), which say what stands on a
page. The same calls with the same `made_at` and the same font files give the same bytes. Drawing takes seconds of
processor time (the fonts are large): call it in a thread. Must not know what it prints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from common.errors import ConfigError
from common.lines import wrap

MARGIN: Final = 18.0
WIDTH: Final = 210.0 - 2 * MARGIN
_FOOT: Final = 16.0
_NUMBER: Final = 9.0
"""Place for the page's number; the count of pages is not known yet when it is measured, so it begins at the left."""
_FAMILY: Final = "jp"
_LEADING: Final = 1.5
_PT: Final = 25.4 / 72
_INK: Final = (26, 26, 28)
_GREY: Final = (98, 98, 100)
_RULE: Final = (178, 178, 178)
_HEAD_FILL: Final = (232, 241, 254)
_ACCENT: Final = (0, 49, 216)
_ALARM: Final = (206, 0, 0)
_NOTO: Final = Path("/usr/share/fonts/opentype/noto")
_KNOWN: Final = (
    (_NOTO / "NotoSansCJK-Regular.ttc", _NOTO / "NotoSansCJK-Bold.ttc"),
    (
        Path("/usr/share/fonts/truetype/bizud-gothic/BIZUDPGothic-Regular.ttf"),
        Path("/usr/share/fonts/truetype/bizud-gothic/BIZUDPGothic-Bold.ttf"),
    ),
    (Path("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),) * 2,
)


@dataclass(frozen=True, slots=True)
class Fonts:
    """Font files (TrueType, OpenType, or a collection, of which the first face is taken)."""

    regular: Path
    bold: Path


def find_fonts(regular: Path | None = None, bold: Path | None = None) -> Fonts:
    """The configured fonts, or those of a known package. Raises ConfigError when there are none."""
    if regular is not None:
        missing = next((file for file in (regular, bold) if file is not None and not file.is_file()), None)
        if missing is not None:
            raise ConfigError(f"font {missing} is not there: correct the setting")
        return Fonts(regular, bold or regular)
    for plain, strong in _KNOWN:
        if plain.is_file():
            return Fonts(plain, strong if strong.is_file() else plain)
    raise ConfigError("no Japanese font for PDF: install fonts-noto-cjk, or name a font file in the settings")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `share` is its part of the width, relative to the others."""

    title: str
    share: float
    align: Literal["left", "right"] = "left"


class _Pages(FPDF):
    """Head and foot of every page."""

    def __init__(self, mark: str, issuer: str, foot: str) -> None:
        super().__init__(format="A4")
        self._mark: Final = mark
        self._issuer: Final = issuer
        self._foot: Final = foot

    def header(self) -> None:
        """The mark of a drill, on every page."""
        if not self._mark:
            return
        self.set_fill_color(*_ALARM)
        self.set_text_color(255, 255, 255)
        self.set_font(_FAMILY, "B", 12)
        self.set_xy(0, 0)
        self.cell(self.w, 9, self._mark, align=Align.C, fill=True)
        self.set_text_color(*_INK)
        self.set_xy(MARGIN, MARGIN)

    def footer(self) -> None:
        """Issuer, page n/N, and what the document is known by."""
        self.set_y(-_FOOT)
        self.set_draw_color(*_RULE)
        self.line(MARGIN, self.y, self.w - MARGIN, self.y)
        self.set_font(_FAMILY, "", 8)
        self.set_text_color(*_GREY)
        self.set_y(self.y + 1.5)
        self.cell(WIDTH - _NUMBER, 4, self._issuer, new_x=XPos.RIGHT)
        self.cell(_NUMBER, 4, f"{self.page_no()}/{{nb}}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(_FAMILY, "", 7)
        self.cell(WIDTH, 3.5, self._foot)
        self.set_text_color(*_INK)


class Paper:
    """A document that grows downwards; `pdf()` gives the file."""

    def __init__(
        self, fonts: Fonts, *, title: str, issuer: str, made_at: datetime, foot: str = "", mark: str = ""
    ) -> None:
        """`mark` stands on top of every page (【訓練】); `foot` below the issuer, for a number or hash."""
        self.pages: Final[FPDF] = _Pages(mark, issuer, foot)
        self.pages.set_creation_date(made_at)
        self.pages.set_title(title)
        self.pages.set_author(issuer)
        self.pages.set_lang("ja-JP")
        self.pages.set_margins(MARGIN, MARGIN, MARGIN)
        self.pages.set_auto_page_break(False)
        self.pages.c_margin = 0
        self.pages.add_font(_FAMILY, "", fonts.regular)
        self.pages.add_font(_FAMILY, "B", fonts.bold)
        self._widths: Final[dict[tuple[str, bool], float]] = {}
        self.pages.add_page()
        self._font(10)

    def title(self, text: str, *, size: float = 20) -> None:
        """The document's name, once."""
        self._lines(text, size, bold=True, after=2)

    def heading(self, text: str) -> None:
        """Begins a part; never alone at the foot of a page."""
        self._need(24)
        self.space(5)
        top = self.pages.y
        self.pages.set_fill_color(*_ACCENT)
        self.pages.rect(MARGIN, top + 0.8, 1.4, 5.6, style="F")
        self._font(13, bold=True)
        self.pages.set_xy(MARGIN + 4, top)
        self.pages.cell(WIDTH - 4, 7.2, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.space(1.5)

    def text(self, text: str, *, size: float = 10, bold: bool = False, alarm: bool = False) -> None:
        """A paragraph."""
        if alarm:
            self.pages.set_text_color(*_ALARM)
        self._lines(text, size, bold=bold, after=1.5)
        self.pages.set_text_color(*_INK)

    def space(self, height: float) -> None:
        """Leave some millimetres."""
        self.pages.set_y(self.pages.y + height)

    def facts(self, rows: Sequence[tuple[str, str]], *, label_share: float = 0.24, size: float = 10) -> None:
        """Pairs of label and value."""
        columns = (Column("", label_share), Column("", 1 - label_share))
        for label, value in rows:
            self._row(columns, (label, value), size, head_cells=1)
        self.space(1.5)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, size: float = 8.5) -> None:
        """A table whose headings stand again on every page that it runs over."""
        titles = [column.title for column in columns]
        self._need(self._height(columns, titles, size) + (self._height(columns, rows[0], size) if rows else 0))
        self._row(columns, titles, size, head_cells=len(columns))
        for row in rows:
            if self._need(self._height(columns, row, size)):
                self._row(columns, titles, size, head_cells=len(columns))
            self._row(columns, row, size)
        self.space(1.5)

    def squares(self, rows: Sequence[Sequence[bool]], *, x: float, y: float, size: float) -> None:
        """A pattern of black squares (a QR code with its quiet zone), `size` millimetres wide."""
        step = size / len(rows)
        self.pages.set_fill_color(0, 0, 0)
        for line, row in enumerate(rows):
            for column, dark in enumerate(row):
                if dark:
                    self.pages.rect(x + column * step, y + line * step, step, step, style="F")

    def pdf(self) -> bytes:
        """The finished file."""
        return bytes(self.pages.output())

    def _font(self, size: float, *, bold: bool = False) -> None:
        self.pages.set_font(_FAMILY, "B" if bold else "", size)

    def _width(self, character: str, size: float, bold: bool) -> float:
        known = self._widths.get((character, bold))
        if known is None:
            self.pages.set_font(_FAMILY, "B" if bold else "", 100)
            known = self.pages.get_string_width(character) / 100
            self._widths[character, bold] = known
        return known * size

    def _wrap(self, text: str, width: float, size: float, bold: bool) -> list[str]:
        return wrap(_printable(text), width, lambda piece: sum(self._width(c, size, bold) for c in piece))

    def _lines(self, text: str, size: float, *, bold: bool, after: float) -> None:
        height = size * _PT * _LEADING
        for line in self._wrap(text, WIDTH, size, bold):
            self._need(height)
            self._font(size, bold=bold)
            self.pages.cell(WIDTH, height, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.space(after)

    def _need(self, height: float) -> bool:
        """Begin a new page unless so much is left on this one; True when it did."""
        if self.pages.y + height <= self.pages.h - _FOOT - 4:
            return False
        colour = self.pages.text_color
        self.pages.add_page()
        self.pages.text_color = colour
        return True

    def _cells(
        self, columns: Sequence[Column], row: Sequence[str], size: float, head_cells: int
    ) -> tuple[list[list[str]], float]:
        whole = sum(column.share for column in columns)
        found = [
            self._wrap(text, WIDTH * column.share / whole - 3, size, index < head_cells)
            for index, (column, text) in enumerate(zip(columns, row, strict=True))
        ]
        return found, max(len(lines) for lines in found) * size * _PT * _LEADING + 2.4

    def _height(self, columns: Sequence[Column], row: Sequence[str], size: float) -> float:
        return self._cells(columns, row, size, 0)[1]

    def _row(self, columns: Sequence[Column], row: Sequence[str], size: float, *, head_cells: int = 0) -> None:
        """One row; one that is taller than what is left goes to the next page, one that is taller than a page is cut
        into pages."""
        cells, height = self._cells(columns, row, size, head_cells)
        self._need(min(height, 60))
        leading = size * _PT * _LEADING
        while any(cells):
            room = int((self.pages.h - _FOOT - 4 - self.pages.y - 2.4) // leading)
            now, cells = [lines[:room] for lines in cells], [lines[room:] for lines in cells]
            self._boxes(columns, now, size, head_cells, max(len(lines) for lines in now) * leading + 2.4)
            if any(cells):
                self.pages.add_page()

    def _boxes(
        self, columns: Sequence[Column], cells: list[list[str]], size: float, head_cells: int, height: float
    ) -> None:
        whole = sum(column.share for column in columns)
        left, top, leading = MARGIN, self.pages.y, size * _PT * _LEADING
        self.pages.set_draw_color(*_RULE)
        self.pages.set_fill_color(*_HEAD_FILL)
        self.pages.set_line_width(0.2)
        for index, (column, lines) in enumerate(zip(columns, cells, strict=True)):
            width = WIDTH * column.share / whole
            head = index < head_cells
            self.pages.rect(left, top, width, height, style="DF" if head else "D")
            self._font(size, bold=head)
            for number, line in enumerate(lines):
                self.pages.set_xy(left + 1.5, top + 1.2 + number * leading)
                self.pages.cell(width - 3, leading, line, align=Align.R if column.align == "right" else Align.L)
            left += width
        self.pages.set_xy(MARGIN, top + height)


def _printable(text: str) -> str:
    """Without what has no shape: control characters would be drawn as boxes."""
    return "".join(c if c == "\n" or c.isprintable() or c == "\u3000" else " " for c in text)
