"""Pages: real PDF files read back by poppler; same input, same bytes; Japanese text stays selectable."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.errors import ConfigError
from common.paper import Column, Fonts, Paper, find_fonts

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    return find_fonts()


def drawn(fonts: Fonts, rows: int = 3, mark: str = "") -> bytes:
    paper = Paper(fonts, title="実施報告書", issuer="市原市", made_at=AT, foot="SHA-256 abc", mark=mark)
    paper.title("実施報告書")
    paper.heading("概要")
    paper.facts([("団体", "市原市"), ("氏名", "𠮷田 髙橋 山﨑\x07")])
    paper.table(
        [Column("日時", 1), Column("出来事", 3), Column("人数", 1, "right")], [["9:00", "発動", "1,234"]] * rows
    )
    paper.squares([[True, False], [False, True]], x=150, y=20, size=10)
    paper.text("終わり。" * 30, alarm=True)
    return paper.pdf()


def text_of(pdf: bytes, tmp_path: Path) -> list[str]:
    """The text of each page as a reader would copy it."""
    file = tmp_path / "made.pdf"
    file.write_bytes(pdf)
    read = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, timeout=30)
    return read.stdout.decode().split("\f")[:-1]


def test_japanese_text_can_be_copied_out_and_the_font_is_inside(fonts: Fonts, tmp_path: Path) -> None:
    pdf = drawn(fonts)
    (page,) = text_of(pdf, tmp_path)
    for words in ("実施報告書", "𠮷田 髙橋 山﨑", "1,234", "市原市", "1/1", "SHA-256 abc"):
        assert words in page
    listed = subprocess.run(["pdffonts", tmp_path / "made.pdf"], capture_output=True, check=True, timeout=30, text=True)
    embedded = [line.split()[-5:-2] for line in listed.stdout.splitlines()[2:]]
    assert embedded == [["yes"] * 3] * 2  # embedded, subset, mapped back to Unicode
    assert len(pdf) < 200_000


def test_long_tables_run_over_pages_with_headings_numbers_and_the_drill_mark(fonts: Fonts, tmp_path: Path) -> None:
    pages = text_of(drawn(fonts, rows=100, mark="【訓練】"), tmp_path)
    assert len(pages) > 2
    assert all("【訓練】" in page and f"{n}/{len(pages)}" in page for n, page in enumerate(pages, 1))
    assert sum(page.count("発動") for page in pages) == 100
    assert all("出来事" in page for page in pages if "発動" in page)


def test_a_cell_longer_than_a_page_is_cut_into_pages(fonts: Fonts, tmp_path: Path) -> None:
    paper = Paper(fonts, title="t", issuer="市原市", made_at=AT)
    paper.table([Column("列", 1)], [["あ" * 9_000]])
    assert sum(page.count("あ") for page in text_of(paper.pdf(), tmp_path)) == 9_000


def test_the_same_call_gives_the_same_bytes(fonts: Fonts) -> None:
    assert drawn(fonts) == drawn(fonts)


def test_fonts_are_named_or_found_or_the_remedy_is_said(tmp_path: Path, fonts: Fonts) -> None:
    assert find_fonts(fonts.regular) == Fonts(fonts.regular, fonts.regular)
    with pytest.raises(ConfigError, match="correct the setting"):
        find_fonts(tmp_path / "none.ttf")
