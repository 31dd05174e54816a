"""Whatever a register holds comes back from CSV and YAML; whatever bytes come in, answers are findings."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.duties import csv_files, yaml_files
from broker.duties.book import DutyBook
from broker.duties.checks import Shelf
from broker.duties.fields import usable
from broker.duties.models import (
    Department,
    Duty,
    Kind,
    Priority,
    Register,
    ResumeWithin,
    Site,
    StaffMember,
    Telework,
)
from broker.duties.planning import examine
from policy.model import Zone
from tests.support.register import planned

_AWKWARD = [
    *("=1+1", "'=1", "@SUM(A1)", "-5", "+81", '"', "a,b", "'", "髙﨑𠮷", "葛\U000e0100城", "\u3000全角", "ﾊﾝｶｸ"),
    *("null", "yes", "0101", "1.0", "# x", "a: b", "- x", "&a", "*a", "!t", "~", "神\ufa19", "\ue000", "é", "e\u0301"),
    *("\u200d", "\ufeffx", "%x"),
]
_TEXT = st.one_of(st.sampled_from(_AWKWARD), st.text(min_size=1, max_size=12))
NAME = _TEXT.map(str.strip).filter(lambda text: bool(text) and usable(text))
LINES = st.one_of(st.just(""), st.lists(_TEXT, max_size=3).map("\n".join)).map(
    lambda text: text.replace("\r\n", "\n").replace("\r", "\n").strip()
).filter(lambda text: usable(text, lines=True))  # fmt: skip
ID = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
CODE = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,8}", fullmatch=True)
SHELF = Shelf({"office": Zone.LGWAN, "net": Zone.INTERNET}, {"pc-1": Zone.LGWAN})


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """Registers without a fault, as awkward as they may be."""
    sites = {key: _site(draw, key, place) for place, key in enumerate(sorted(draw(st.sets(ID, max_size=3))))}
    numbers = sorted(draw(st.sets(CODE, min_size=1, max_size=6)))
    codes = sorted(draw(st.sets(CODE, min_size=1, max_size=3)))
    department = st.sampled_from(codes)
    staff = {
        number: StaffMember(
            number,
            f"user{place}",
            draw(NAME),
            draw(st.one_of(st.just(""), NAME)),
            draw(department),
            draw(st.one_of(st.just(""), NAME)),
            "regular",
            draw(st.sampled_from([None, *sites])),
            on_leave=draw(st.booleans()),
        )
        for place, number in enumerate(numbers)
    }
    departments = {code: _department(draw, code, place, numbers) for place, code in enumerate(codes)}
    duties = {key: _duty(draw, key, numbers, codes) for key in sorted(draw(st.sets(ID, max_size=4)))}
    return Register(0, sites, departments, staff, duties)


def _department(draw: st.DrawFn, code: str, place: int, numbers: list[str]) -> Department:
    approvers = draw(st.lists(st.sampled_from(numbers), max_size=2, unique=True))
    return Department(code, f"{place}課", draw(NAME), tuple(approvers))


def _site(draw: st.DrawFn, key: str, place: int) -> Site:
    networks = draw(
        st.sampled_from([(), (f"10.{place}.0.0/16",), (f"10.{place}.0.0/16", f"2001:db8:{place + 1}::/48")])
    )
    return Site(key, draw(NAME), draw(NAME), networks, draw(st.integers(0, 900)), draw(st.integers(0, 9_000)))


def _duty(draw: st.DrawFn, key: str, numbers: list[str], codes: list[str]) -> Duty:
    people = draw(st.lists(st.sampled_from(numbers), unique=True))
    cut = draw(st.integers(0, len(people)))
    zone, pools, desktops = draw(
        st.sampled_from([(Zone.LGWAN, ("office",), ("pc-1",)), (Zone.INTERNET, ("net",), ()), (Zone.MY_NUMBER, (), ())])
    )
    telework = (
        Telework.NEVER if zone is Zone.MY_NUMBER else draw(st.sampled_from([Telework.ALLOWED, Telework.CONDITIONAL]))
    )
    return Duty(
        id=key,
        name_ja=draw(NAME),
        name_en=draw(NAME),
        department=draw(st.sampled_from(codes)),
        zone=zone,
        telework=telework,
        condition=draw(LINES),
        priority=draw(st.sampled_from(Priority)),
        resume_within=ResumeWithin.HOURS_3,
        pools=pools,
        desktops=desktops,
        people=tuple(people[:cut]),
        substitutes=tuple(people[cut:]),
    )


def _csv(register: Register) -> list[tuple[str, bytes | str]]:
    return [(f"{kind}.csv", csv_files.write(kind, tuple(register.of(kind).values()))) for kind in Kind]


_SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def _mixed_up(register: Register) -> bool:
    """A number that is somebody else's user name is refused on purpose."""
    return any(member.username in register.staff for member in register.staff.values())


@_SLOW
@given(registers())
def test_round_trip(wanted: Register) -> None:
    if _mixed_up(wanted):
        return
    for files in (_csv(wanted), [("register.yaml", yaml_files.write(wanted))]):
        found = planned(Register(), *files, shelf=SHELF)
        assert found.faults == ()
        assert found.wanted == replace(wanted, version=1)
        assert planned(found.wanted, *files, shelf=SHELF).changes == ()


@_SLOW
@given(registers(), st.booleans())
def test_csv_survives_what_a_spreadsheet_does_to_it(wanted: Register, with_mark: bool) -> None:
    """Another order of columns, quoting of everything, LF for CRLF, empty rows and cells at the end."""
    if _mixed_up(wanted):
        return
    files: list[tuple[str, bytes | str]] = []
    for name, text in _csv(wanted):
        assert isinstance(text, str)
        rows = [[*row[::-1], "", ""] for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))]
        out = io.StringIO(newline="")
        csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([*rows, [""] * 4])
        files.append((name, ("\ufeff" if with_mark else "") + out.getvalue()))
    found = planned(Register(), *files, shelf=SHELF)
    assert found.faults == ()
    assert found.wanted == replace(wanted, version=1)


@_SLOW
@given(registers())
def test_no_cell_starts_a_formula(wanted: Register) -> None:
    for _, text in _csv(wanted):
        assert isinstance(text, str)
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")):
            assert not any(cell[:1] in tuple("=+-@\t\r＝＋－＠") for cell in row if cell)


@_SLOW
@given(registers())
def test_cp932_comes_back_but_for_what_was_named(wanted: Register) -> None:
    if _mixed_up(wanted):
        return
    sent: list[tuple[str, bytes | str]] = []
    for name, text in _csv(wanted):
        assert isinstance(text, str)
        content, lost = csv_files.to_cp932(text)
        if lost or content.isascii():
            return
        sent.append((name, content))
    found = planned(Register(), *sent, shelf=SHELF)
    assert [fault.code for fault in found.faults] == []
    assert found.wanted.duties.keys() == wanted.duties.keys()


@_SLOW
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)), st.sampled_from(["a.csv", "a.yaml"]))
def test_any_bytes_give_findings_not_errors(content: bytes, name: str) -> None:
    found = planned(Register(), (name, content))
    assert found.digest is None or not found.changes


@_SLOW
@given(registers(), st.integers(0, 5_000), st.binary(min_size=1, max_size=3), st.booleans())
def test_damaged_exports_give_findings_or_a_sound_register(
    wanted: Register, at: int, damage: bytes, as_csv: bool
) -> None:
    name, text = _csv(wanted)[3] if as_csv else ("register.yaml", yaml_files.write(wanted))
    content = text if isinstance(text, bytes) else text.encode()
    at %= len(content)
    found = planned(wanted, (name, content[:at] + damage + content[at + len(damage) :]), shelf=SHELF)
    if found.digest is not None:
        assert not [one for one in examine(found.wanted, SHELF) if one.severity == "fault"]


@_SLOW
@given(registers(), st.text(max_size=20))
def test_deny_by_default(wanted: Register, stranger: str) -> None:
    """Only who stands on a roster has a duty, in the part in which they stand there."""
    book = DutyBook(wanted)
    facts: Mapping[str, Any] = {member.username: book.duties_of(member.username) for member in wanted.staff.values()}
    for member in wanted.staff.values():
        expected = {duty.id for duty in wanted.duties.values() if member.id in duty.people}
        expected |= {f"{duty.id}#substitute" for duty in wanted.duties.values() if member.id in duty.substitutes}
        assert facts[member.username] == (set() if member.on_leave else expected)
    if stranger.strip().casefold() not in facts:
        assert book.duties_of("x" + stranger) == frozenset()
