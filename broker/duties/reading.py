"""Records become entries: every text judged by its field, every fault kept with its line. Pure.

Counterparts: `records.py` (what files hold), `fields.py` (what texts may be), `checks.py` (whether entries agree).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from broker.duties import csv_files, yaml_files
from broker.duties.fields import FIELDS, MOST_ITEMS, Field, Wrong
from broker.duties.findings import Finding, Place, finding
from broker.duties.models import ENTRY_TYPE, USUAL_RESUME, Duty, Entry, Kind, Register
from broker.duties.records import Parsed, Record, SourceFile

MOST_FILES: Final = 8
MOST_BYTES: Final = 6 * 1024 * 1024
Places = Mapping[tuple[Kind, str], Place]


def read(files: Sequence[SourceFile], current: Register) -> tuple[Register, Places, list[Finding]]:
    """The register as it would be: each list that a file has replaces the whole list, the others stay.

    Gives also where each new entry stands, and every fault. With faults the register is only good for finding more.
    """
    found: list[Finding] = []
    places: dict[tuple[Kind, str], Place] = {}
    lists: dict[Kind, dict[str, Entry]] = {}
    owner: dict[Kind, str] = {}
    for source in files:
        parsed = _parse(source)
        found += parsed.findings
        for kind, records in parsed.lists.items():
            if kind in owner:
                found.append(finding("list_twice", Place(source.name), list=kind, other=owner[kind]))
                continue
            owner[kind] = source.name
            lists[kind] = _entries(kind, records, source.name, places, found)
    merged: dict[str, Any] = {str(kind): entries for kind, entries in lists.items()}
    return replace(current, **merged), places, found


def _parse(source: SourceFile) -> Parsed:
    name = source.name.casefold()
    if len(source.content) > MOST_BYTES:
        limit = f"{MOST_BYTES // 1024 // 1024} MiB"
        return Parsed(findings=[finding("too_large", Place(source.name), limit=limit)])
    if name.endswith(".csv"):
        return csv_files.parse(source)
    if name.endswith((".yaml", ".yml")):
        return yaml_files.parse(source)
    return Parsed(findings=[finding("file_name", Place(source.name))])


def _entries(
    kind: Kind,
    records: Sequence[Record],
    file: str,
    places: dict[tuple[Kind, str], Place],
    found: list[Finding],
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for record in records:
        entry, faults = _entry(kind, record, file)
        found += faults
        if entry is None:
            continue
        place = Place(file, record.line, kind, entry.id)
        if entry.id in entries:
            found.append(finding("same_id", place, id=entry.id, line=places[kind, entry.id].line))
            continue
        entries[entry.id] = entry
        places[kind, entry.id] = place
    return dict(sorted(entries.items()))


def _entry(kind: Kind, record: Record, file: str) -> tuple[Entry | None, list[Finding]]:
    faults: list[Finding] = []
    own_id = record.values.get("id", "")
    place = Place(file, record.line, kind, str(own_id).strip()[:64] or None)
    values: dict[str, Any] = {}
    for field in FIELDS[kind]:
        try:
            values[field.name] = _value(field, record.values.get(field.name, ""))
        except Wrong as wrong:
            faults.append(finding(wrong.code, place, **({"column": field.title} | wrong.values)))
    if faults:
        return None, faults
    if ENTRY_TYPE[kind] is Duty and values["resume_within"] is None:
        values["resume_within"] = USUAL_RESUME[values["priority"]]
    return ENTRY_TYPE[kind](**values), faults


def _value(field: Field, given: str | Sequence[str]) -> Any:
    if field.many:
        items = [given] if isinstance(given, str) else given
        if len(items) > MOST_ITEMS:
            raise Wrong("too_large", limit=MOST_ITEMS)
        return tuple(field.parse(item) for item in items if item.strip())
    text = given if isinstance(given, str) else " ".join(given)
    if not text.strip():
        if field.required:
            raise Wrong("missing")
        return field.empty
    return field.parse(text)
