"""Print and spreadsheet: Japanese titles, marks of a drill, guarded cells, selectable text, same bytes."""

import csv
import io
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker.duties.csv_files import to_cp932, unguarded
from common.paper import find_fonts
from gateway.reports.calendar import DrillState, drill_year
from gateway.reports.gather import gather
from gateway.reports.layout import Facts, parts, title
from gateway.reports.model import Report, encode, sha256
from gateway.reports.pdf import draw
from gateway.reports.sheet import ENTRY_TITLES, entries_csv, summary_csv
from tests.support.bcp_events import emergency
from tests.support.bcp_notices import declaration


def made(*, drill: bool = False, reason: str | None = None) -> Report:
    found = emergency(60, drill=drill)
    material = found.material
    if reason is not None:
        material = replace(material, declaration=replace(material.declaration, reason=reason))
    return gather(material, found.events)


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    assert text.replace("\r\n", "").count("\n") == text.count("\n") - text.count("\r\n")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_every_event_is_a_line_with_japanese_columns() -> None:
    report = made()
    found = rows(entries_csv(report))
    assert found[0] == list(ENTRY_TITLES)
    assert len(found) == len(report.entries) + 1
    assert all(len(row) == len(ENTRY_TITLES) for row in found)
    denied = [row for row in found if row[1] == "接続の拒否（規則）"]
    assert len(denied) == 4
    assert {row[7] for row in denied} == {"いいえ"}
    assert {row[6] for row in denied} == {"ガードレール：マイナンバー利用事務系には接続できない"}


def test_cells_that_a_spreadsheet_would_run_are_guarded() -> None:
    evil = "=HYPERLINK(1)\n@x"
    text = summary_csv(made(reason=evil), "0" * 64)
    reason = next(row for row in rows(text) if row[1] == "理由")
    assert unguarded(reason[2]) == f"地震：{evil}"
    assert all(not cell.startswith(("=", "+", "@")) for row in rows(text) for cell in row)
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows(entries_csv(made())) for cell in row)


def test_old_programs_get_cp932_with_a_list_of_what_was_lost() -> None:
    written, lost = to_cp932(summary_csv(made(reason="𠮷田橋の損傷"), "0" * 64))
    assert "〓田橋の損傷" in written.decode("cp932")
    assert "𠮷" in {character for _, character in lost}


def test_the_title_tells_drills_and_drafts() -> None:
    assert title(made()) == "BCP実施報告書"
    assert title(made(drill=True)) == "【訓練】BCP実施報告書"
    assert title(replace(made(), final=False)) == "BCP実施報告書（途中経過）"


def test_dates_are_in_the_era_and_the_fiscal_year() -> None:
    overview = parts(made())[0].blocks[0]
    assert isinstance(overview, Facts)
    found = dict(overview.rows)
    assert found["開始"] == "令和8年4月1日（2026年・水）9時00分"
    assert found["年度"] == "令和8年度（2026年度）"
    assert found["期間"] == "1日2時間"


def test_the_pdf_has_all_parts_hash_numbers_and_the_mark_on_every_page(tmp_path: Path) -> None:
    report = made(drill=True)
    digest = sha256(encode(report))
    file = tmp_path / "report.pdf"
    file.write_bytes(draw(report, digest, find_fonts()))
    read = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, timeout=30)
    pages = read.stdout.decode().split("\f")[:-1]
    whole = "".join(pages)
    for part in parts(report):
        assert part.heading.split("　")[1][:6] in whole
    assert "佐藤 花子" in whole
    for number, page in enumerate(pages, 1):
        assert "【訓練】" in page
        assert digest in page
        assert f"{number}/{len(pages)}" in page
        assert "架橋市" in page
    size = subprocess.run(["pdfinfo", file], capture_output=True, check=True, timeout=30, text=True).stdout
    assert "A4" in size


def test_the_same_report_gives_the_same_file() -> None:
    report = made()
    digest = sha256(encode(report))
    assert draw(report, digest, find_fonts()) == draw(report, digest, find_fonts())


@pytest.mark.parametrize(
    ("now", "drills", "states"),
    [
        (datetime(2026, 5, 1, tzinfo=UTC), [], (DrillState.OPEN, DrillState.OPEN)),
        (datetime(2026, 9, 1, tzinfo=UTC), [], (DrillState.DUE_SOON, DrillState.OPEN)),
        (datetime(2026, 9, 30, 15, tzinfo=UTC), [], (DrillState.OVERDUE, DrillState.OPEN)),
        (datetime(2027, 3, 1, tzinfo=UTC), [datetime(2026, 9, 30, 14, 59, tzinfo=UTC)],
         (DrillState.DONE, DrillState.DUE_SOON)),
        (datetime(2027, 3, 1, tzinfo=UTC), [datetime(2026, 9, 30, 15, tzinfo=UTC)],
         (DrillState.OVERDUE, DrillState.DONE)),
    ],
)  # fmt: skip
def test_the_fiscal_year_shows_which_drill_is_owed(
    now: datetime, drills: list[datetime], states: tuple[DrillState, DrillState]
) -> None:
    held = [declaration(drill=True, starts_at=at) for at in drills]
    others = [declaration(drill=True, starts_at=None), declaration(starts_at=now - timedelta(days=1))]
    year = drill_year([*held, *others], now)
    assert tuple(half.state for half in year.halves) == states
    assert year.overdue is (DrillState.OVERDUE in states)
