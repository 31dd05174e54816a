"""CSV and YAML of the register: what offices really send, and a line for every fault."""

import csv
import io

import pytest

from broker.duties import csv_files, yaml_files
from broker.duties.csv_files import guarded, to_cp932, unguarded
from broker.duties.fields import FIELDS
from broker.duties.findings import WORDINGS, Severity
from broker.duties.models import Kind, Register, Telework
from tests.support.register import codes, duty, member, planned, register

STAFF_HEAD = ",".join(field.title for field in FIELDS[Kind.STAFF])
DUTY_HEAD = ",".join(field.title for field in FIELDS[Kind.DUTIES])


def _staff(*rows: str, head: str = STAFF_HEAD) -> str:
    return "\r\n".join([head, *rows]) + "\r\n"


def _row(number: str = "0103", username: str = "tanaka", name: str = "田中 美咲") -> str:
    return f"{number},{username},{name},たなか みさき,110,主任,regular,hq,在職"


KEPT = _row("0101", "sato"), _row("0102", "suzuki")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with mark"])
def test_utf_8_with_and_without_mark(mark: bytes) -> None:
    found = planned(register(), ("職員.csv", mark + _staff(*KEPT, _row()).encode()))
    assert found.faults == ()
    assert found.wanted.staff["0103"].name == "田中 美咲"


def test_cp932_is_read_and_keeps_what_it_has() -> None:
    found = planned(register(), ("staff.csv", _staff(*KEPT, _row(name="髙橋 﨑")).encode("cp932")))
    assert found.faults == ()
    assert found.wanted.staff["0103"].name == "髙橋 﨑"


def test_what_cannot_be_decoded_is_named_with_line_and_bytes() -> None:
    content = _staff(*KEPT, _row(name="山﨑 翼")).encode("cp932").replace("翼".encode("cp932"), b"\xfd\xfe")
    found = planned(register(), ("staff.csv", content))
    (fault,) = found.faults
    assert (fault.code, fault.line) == ("undecodable", 4)
    assert "fd" in fault.text_en
    assert found.changes == ()
    assert found.digest is None


def test_a_bad_byte_in_a_file_of_utf_8_is_not_taken_for_cp932() -> None:
    content = _staff(*KEPT, _row(name="山﨑 翼")).encode().replace("翼".encode(), b"\xff\xfe\xff")
    (fault,) = planned(register(), ("staff.csv", content)).faults
    assert (fault.code, fault.line) == ("undecodable", 4)


def test_utf_16_gets_its_own_advice() -> None:
    (fault,) = planned(register(), ("staff.csv", _staff(*KEPT).encode("utf-16"))).faults
    assert fault.code == "utf_16"
    assert "CSV UTF-8" in fault.remedy_ja


def test_leading_zeros_that_a_spreadsheet_dropped_are_guessed_never_assumed() -> None:
    row = 'pay,給与,Payroll,110,LGWAN接続系,可,,P2,,office,,101,"102 suzuki"'
    found = planned(register(), ("duties.csv", f"{DUTY_HEAD}\n{row}\n"))
    assert [fault.code for fault in found.faults] == ["lost_zeros", "lost_zeros"]
    assert all(fault.line == 2 and fault.entry_id == "pay" for fault in found.faults)
    assert "0101" in found.faults[0].remedy_ja


def test_people_by_number_or_user_name_and_the_usual_target() -> None:
    row = 'pay,給与,Payroll,110,LGWAN接続系,条件付き,"個室で\n行う",Ｐ２,,office、,,SATO,"０１０２"'
    found = planned(register(), ("duties.csv", f"{DUTY_HEAD}\r\n{row}\r\n"))
    assert codes(found) == []
    pay = found.wanted.duties["pay"]
    assert (pay.people, pay.substitutes, pay.resume_within) == (("0101",), ("0102",), "1d")
    assert pay.telework is Telework.CONDITIONAL
    assert pay.condition == "個室で\n行う"


def test_every_fault_of_a_file_is_said_at_once_with_its_line() -> None:
    rows = [
        '"a b",給与,Payroll,110,LGWAN接続系,可,,P2,,office,,,',
        "ok,給与\t2,Payroll,110,LGWAN接続系,可,,P2,,office,,,",
        'two,"給与\x07",Payroll,999,どこか,たぶん,,P9,5分,nowhere,nopc,nobody,',
        "short,給与",
        "ok,給与,Payroll,110,LGWAN接続系,可,,P2,,office,,,",
    ]
    found = planned(register(), ("duties.csv", "\n".join([DUTY_HEAD, *rows])))
    seen = [(fault.line, fault.code) for fault in found.faults]
    assert (2, "bad_id") in seen
    assert (3, "bad_text") in seen
    assert {(4, "bad_text"), (4, "bad_choice")} <= set(seen)
    assert (5, "cells") in seen
    assert seen.count((4, "bad_choice")) == 4
    assert all(fault.text_ja and fault.text_en and fault.remedy_ja and fault.remedy_en for fault in found.faults)
    assert found.digest is None


def test_same_number_twice_names_the_first_line() -> None:
    (fault,) = planned(register(), ("staff.csv", _staff(*KEPT, _row("0101", "other")))).faults
    assert (fault.code, fault.line) == ("same_id", 4)
    assert "2" in fault.text_en


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (STAFF_HEAD.replace("ふりがな", "フリガナ"), "extra_column"),
        (STAFF_HEAD + ",備考", "extra_column"),
        (STAFF_HEAD.replace(",在職状況", ""), "unknown_columns"),
        (STAFF_HEAD.replace("ふりがな", "氏名"), "column_twice"),
        ("a,b,c", "unknown_columns"),
    ],
)
def test_a_heading_that_is_not_ours_says_what_is_missing(head: str, code: str) -> None:
    found = planned(register(), ("staff.csv", _staff(*KEPT, head=head)))
    assert code in codes(found)
    assert found.digest is None


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.csv", "", "empty_file"),
        ("x.csv", "\r\n\r\n", "empty_file"),
        ("x.csv", f'{STAFF_HEAD}\n"open', "not_csv"),
        ("x.xlsx", "PK", "file_name"),
        ("x.yaml", "", "empty_file"),
        ("x.yaml", "format: 1\nstaff: [", "not_yaml"),
        ("x.yaml", "format: 1\nstaff: &a []\nduties: *a", "alias"),
        ("x.yaml", "- 1", "shape"),
        ("x.yaml", "format: 2", "format"),
        ("x.yaml", "staff: []", "format"),
        ("x.yaml", "format: 1\nstuff: []", "unknown_key"),
        ("x.yaml", "format: 1\nstaff: 5", "shape"),
        ("x.yaml", "format: 1\nsites: [5]", "shape"),
        ("x.yaml", "format: 1\nsites:\n- {id: hq, nam: x}", "unknown_key"),
        ("x.yaml", "format: 1\nsites:\n- {id: hq, name_ja: [x]}", "shape"),
        ("x.yaml", "format: 1\nsites:\n- {id: hq, id: ho}", "column_twice"),
        ("x.yaml", b"format: 1\nsites: \xff", "undecodable"),
        ("x.yaml", "[" * 3000, "not_yaml"),
    ],
)
def test_broken_files_are_faults_not_crashes(name: str, content: str | bytes, code: str) -> None:
    found = planned(register(), (name, content))
    assert code in [fault.code for fault in found.faults]
    assert found.digest is None


def test_two_files_with_the_same_list_are_refused() -> None:
    content = _staff(*KEPT)
    assert "list_twice" in codes(planned(register(), ("a.csv", content), ("b.csv", content)))


def test_unquoted_yaml_numbers_stay_what_was_written() -> None:
    text = """format: 1
staff:
- {id: 0101, username: sato, name: no, department: 110}
- {id: 0o12, username: "12", name: 1_000, department: 110}
"""
    found = planned(register(departments={}, duties={}), ("r.yaml", text))
    assert {"0101", "0o12"} == found.wanted.staff.keys()
    assert found.wanted.staff["0101"].name == "no"
    assert found.wanted.staff["0o12"].name == "1_000"


def test_cells_that_a_spreadsheet_would_run_are_guarded() -> None:
    for text in ("=1+1", "+81", "-1", "@x", "\tx", "＝1", "'=1", "''@"):
        assert guarded(text) == "'" + text
        assert unguarded(guarded(text)) == text
    for text in ("plain", "'quoted'", "a=b", ""):
        assert guarded(text) == text
        assert unguarded(text) == text


def test_export_has_mark_crlf_and_japanese_columns() -> None:
    text = csv_files.write(Kind.DUTIES, [duty("pay", name_ja="=cmd()", condition="一\n二")])
    assert text.startswith("\ufeff業務ID,業務名,")
    (head, row) = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert row[1] == "'=cmd()"
    assert dict(zip(head, row, strict=True))["担当者"] == "0101"
    assert text.endswith("\r\n")


def test_cp932_export_names_what_it_loses() -> None:
    content, lost = to_cp932(csv_files.write(Kind.STAFF, [member("0101", "sato", name="𠮷田 〜花−")]))
    assert [(line, character) for line, character in lost] == [(2, "𠮷")]
    assert "〓田 ～花－".encode("cp932") in content
    assert not content.startswith(b"\xef\xbb\xbf")


def test_yaml_writes_names_as_they_are() -> None:
    text = yaml_files.write(register(staff=(member("0103", "yoshida", name="𠮷田 﨑\u3000葛\U000e0100"),)))
    assert "𠮷田 﨑\u3000葛" in text
    assert planned(Register(), ("r.yaml", text)).wanted.staff["0103"].name == "𠮷田 﨑\u3000葛\U000e0100"


def test_every_wording_is_in_both_languages() -> None:
    for code, words in WORDINGS.items():
        for text in (words.text_ja, words.remedy_ja):
            assert any(ord(c) > 0x3000 for c in text), code
            assert text.endswith(("。", "}")), code
        assert words.text_en, code
        assert words.remedy_en, code
        assert words.severity in Severity
