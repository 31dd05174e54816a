"""An import before it is made: what would be added, changed and removed, field by field, and what is wrong. Pure.

Counterparts: `broker/duties/service.py` shows a plan and makes exactly the one whose digest is given back.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from broker.duties.checks import Shelf, check, resolved
from broker.duties.fields import FIELDS, shown
from broker.duties.findings import Finding, Place, Severity
from broker.duties.models import Entry, Kind, Register, name_of
from broker.duties.reading import Places, read
from broker.duties.records import SourceFile
from common.ids import TenantId


class Op(StrEnum):
    """What happens to an entry."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, as people read it; None where the entry does not exist."""

    field: str
    title: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry's change."""

    kind: Kind
    entry_id: str
    name: str
    op: Op
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """One import that was made. `digest` is that of the plan that was shown."""

    version: int
    at: datetime
    actor: str
    digest: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import comes to. `digest` is None when there are faults: nothing can be applied then."""

    current: Register
    wanted: Register
    changes: tuple[Change, ...]
    faults: tuple[Finding, ...]
    orphans: tuple[Finding, ...]
    digest: str | None


def plan(tenant_id: TenantId, files: Sequence[SourceFile], current: Register, shelf: Shelf) -> Plan:
    """Read the files against the current register. The same files on the same register give the same digest."""
    merged, places, found = read(files, current)

    def place_of(kind: Kind, entry: Entry) -> Place:
        return _place(places, kind, entry)

    wanted, unknown = resolved(merged, place_of)
    found += unknown
    found += check(wanted, shelf, place_of)
    faults = tuple(one for one in found if one.severity is Severity.FAULT)
    orphans = tuple(one for one in found if one.severity is Severity.ORPHAN)
    changes = () if faults else tuple(differences(current, wanted))
    digest = None if faults else _digest(tenant_id, current.version, changes, orphans)
    return Plan(current, replace(wanted, version=current.version + 1), changes, faults, orphans, digest)


def examine(register: Register, shelf: Shelf) -> tuple[Finding, ...]:
    """What is wrong or left over in what is stored: pools may have gone since."""
    return tuple(check(register, shelf, lambda kind, entry: Place(None, None, kind, entry.id)))


def differences(before: Register, after: Register) -> Iterator[Change]:
    """Every entry that differs, list by list, by id."""
    for kind in Kind:
        old, new = before.of(kind), after.of(kind)
        for key in sorted(old.keys() | new.keys()):
            was, will = old.get(key), new.get(key)
            if was != will and (entry := will or was) is not None:
                op = Op.ADDED if was is None else Op.REMOVED if will is None else Op.CHANGED
                yield Change(kind, key, name_of(entry), op, _fields(kind, was, will))


def _fields(kind: Kind, was: Entry | None, will: Entry | None) -> tuple[FieldChange, ...]:
    changes = []
    for field in FIELDS[kind]:
        before, after = (None if entry is None else shown(field, getattr(entry, field.name)) for entry in (was, will))
        if before != after:
            changes.append(FieldChange(field.name, field.title, before, after))
    return tuple(changes)


def _place(places: Places, kind: Kind, entry: Entry) -> Place:
    return places.get((kind, entry.id)) or Place(None, None, kind, entry.id)


def _digest(tenant_id: TenantId, version: int, changes: Sequence[Change], orphans: Sequence[Finding]) -> str:
    """Covers what the person was shown, and the version it was compared with."""
    whole: list[Any] = [
        "kakehashi-duties-1",
        tenant_id,
        version,
        [
            [change.kind, change.entry_id, change.op, [[f.field, f.before, f.after] for f in change.fields]]
            for change in changes
        ],
        [[orphan.code, orphan.kind, orphan.entry_id] for orphan in orphans],
    ]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
