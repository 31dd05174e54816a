"""CSV in and out, the way spreadsheets in Japanese offices write and read it. Pure.

In: UTF-8 with or without a byte order mark, or CP932. Out: UTF-8 with the mark, CRLF. A cell that a spreadsheet would
take for a formula is written with an apostrophe before it, and loses exactly that one when it is read again.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

from broker.duties import texts
from broker.duties.fields import FIELDS, Field, shown
from broker.duties.findings import Place, finding
from broker.duties.models import Entry, Kind
from broker.duties.records import Parsed, Record, SourceFile

BOM: Final = "\ufeff"
MOST_ROWS: Final = 20_000
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_SEPARATORS: Final = re.compile(r"[\s,;、，；]+")
_ENOUGH: Final = 100
"""Spoiled bytes of one line that are looked for; a file that is no text at all has millions."""
_NO_CHARACTER: Final = frozenset("\x80\uf8f0\uf8f1\uf8f2\uf8f3")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def parse(source: SourceFile) -> Parsed:
    """One list, told by its heading line. All faults are findings; nothing is raised."""
    parsed = Parsed()
    text = decode(source, parsed)
    if text is None:
        return parsed
    rows = _rows(text, source.name, parsed)
    if not rows:
        if not parsed.findings:
            parsed.findings.append(finding("empty_file", Place(source.name)))
        return parsed
    heading_line, heading = rows[0]
    titles = [title.strip() for title in heading]
    while titles and not titles[-1]:
        titles.pop()
    kind = _kind(titles, Place(source.name, heading_line), parsed)
    if kind is not None:
        columns = {field.title: field for field in FIELDS[kind]}
        parsed.lists[kind] = [
            record
            for line, cells in rows[1:]
            if (record := _record(cells, line, [columns[title] for title in titles], source.name, kind, parsed))
        ]
    return parsed


def decode(source: SourceFile, parsed: Parsed) -> str | None:
    """The file's text. What cannot be read is a finding with its line and bytes; then there is no text."""
    if source.content.startswith(_UTF_16):
        parsed.findings.append(finding("utf_16", Place(source.name, 1)))
        return None
    try:
        return source.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "utf-8" if _looks_utf_8(source.content) else "cp932"
    for number, line in enumerate(source.content.split(b"\n"), 1):
        if spoiled := _spoiled(line, encoding):
            place = Place(source.name, number)
            parsed.findings.append(finding("undecodable", place, count=len(spoiled), bytes=spoiled[:4].hex(" ")))
    return None if parsed.findings else source.content.decode(encoding)


def _spoiled(line: bytes, encoding: str) -> bytes:
    """The bytes of a line that are no text. Python's CP932 lets five single bytes pass that mean nothing."""
    found = bytearray()
    at = 0
    while at < len(line) and len(found) < _ENOUGH:
        try:
            line[at:].decode(encoding)
            break
        except UnicodeDecodeError as error:
            found += line[at + error.start : at + error.end]
            at += error.end
    return bytes(found) or (_unassigned(line) if encoding == "cp932" else b"")


def _unassigned(line: bytes) -> bytes:
    text = line.decode("cp932")
    return b"".join(c.encode("cp932") for c in text if c in _NO_CHARACTER)


def _looks_utf_8(content: bytes) -> bool:
    """The heading line is Japanese in UTF-8: the fault lies further down, not in the encoding of the whole."""
    try:
        return not content.split(b"\n", 1)[0].decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


def _rows(text: str, name: str, parsed: Parsed) -> list[tuple[int, list[str]]]:
    """Rows that hold anything, with the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begins, cells))
            begins = reader.line_num + 1
            if len(rows) > MOST_ROWS:
                parsed.findings.append(finding("too_large", Place(name, begins), limit=f"{MOST_ROWS:,}"))
                return []
    except csv.Error as error:
        parsed.findings.append(finding("not_csv", Place(name, begins), detail=error))
        return []
    return rows


def _kind(titles: Sequence[str], place: Place, parsed: Parsed) -> Kind | None:
    """The list whose columns these are, all of them, in any order."""
    common = {kind: len(set(titles) & _titles(kind)) for kind in Kind}
    nearest = max(Kind, key=lambda kind: (common[kind], -len(FIELDS[kind])))
    before = len(parsed.findings)
    known = "、".join(field.title for field in FIELDS[nearest])
    for position, title in enumerate(titles):
        if title not in _titles(nearest) and common[nearest] > 1:
            parsed.findings.append(finding("extra_column", place, column=title, known=known))
        elif title in titles[:position]:
            parsed.findings.append(finding("column_twice", place, column=title))
    lacking = [field.title for field in FIELDS[nearest] if field.title not in titles]
    if lacking:
        missing = "、".join(lacking)
        parsed.findings.append(finding("unknown_columns", place, list=texts.KIND[nearest].ja, missing=missing))
    return nearest if len(parsed.findings) == before else None


def _titles(kind: Kind) -> set[str]:
    return {field.title for field in FIELDS[kind]}


def _record(
    cells: list[str], line: int, columns: Sequence[Field], name: str, kind: Kind, parsed: Parsed
) -> Record | None:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        parsed.findings.append(finding("cells", Place(name, line, kind), found=len(cells), wanted=len(columns)))
        return None
    values: dict[str, str | list[str]] = {}
    for column, cell in zip(columns, cells, strict=True):
        text = unguarded(cell)
        values[column.name] = [part for part in _SEPARATORS.split(text) if part] if column.many else text
    return Record(line, values)


def write(kind: Kind, entries: Sequence[Entry]) -> str:
    """One list as a file's text, with the byte order mark, lines ended by CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.title for field in FIELDS[kind]])
    for entry in entries:
        writer.writerow([guarded(shown(field, getattr(entry, field.name))) for field in FIELDS[kind]])
    return BOM + out.getvalue()


def guarded(text: str) -> str:
    """The cell for a text: an apostrophe goes before what a spreadsheet would run."""
    return "'" + text if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The counterpart of `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


_LIKE: Final = str.maketrans({"〜": "～", "−": "－", "—": "―", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢"})
"""Characters that CP932 has at another code point than today's keyboards type them."""
_GETA: Final = "〓"


def to_cp932(text: str) -> tuple[bytes, tuple[tuple[int, str], ...]]:
    """A file's text for old programs, and what got lost: line and character of each that became 〓."""
    lost: list[tuple[int, str]] = []
    written: list[str] = []
    for number, line in enumerate(text.removeprefix(BOM).translate(_LIKE).split("\n"), 1):
        kept = line
        for character in sorted({c for c in line if not _in_cp932(c)}):
            lost.append((number, character))
            kept = kept.replace(character, _GETA)
        written.append(kept)
    return "\n".join(written).encode("cp932"), tuple(lost)


def _in_cp932(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
