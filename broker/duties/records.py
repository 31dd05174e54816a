"""What a file holds before anybody has judged its values: texts with their lines. Pure.

Counterparts: `csv_files.py` and `yaml_files.py` make records, `reading.py` makes entries of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broker.duties.findings import Finding
from broker.duties.models import Kind


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was handed over; its name only serves messages and tells CSV from YAML."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One entry's texts by field name; a field that may hold many has a sequence. `line` is where it begins."""

    line: int
    values: Mapping[str, str | Sequence[str]]


@dataclass
class Parsed:
    """All that one file holds. A list that the file has, but without entries, is there and empty."""

    lists: dict[Kind, list[Record]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
