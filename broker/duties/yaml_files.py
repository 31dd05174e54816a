"""YAML in and out: one file may hold all four lists. Pure.

Values are taken as they are written, not as YAML would read them: an unquoted 0101 stays the staff number 0101 instead
of becoming the octal 65, and `no` stays a word. Aliases are refused, so that a small file cannot become a large one.
"""

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

import yaml

from broker.duties import texts
from broker.duties.csv_files import MOST_ROWS
from broker.duties.fields import FIELDS, Field, shown
from broker.duties.findings import Place, finding
from broker.duties.models import Entry, Kind, Register
from broker.duties.records import Parsed, Record, SourceFile

FORMAT: Final = "1"
_NULL: Final = "tag:yaml.org,2002:null"
_KNOWN: Final = "format, " + ", ".join(Kind)


def parse(source: SourceFile) -> Parsed:
    """The lists of a file. All faults are findings; nothing is raised."""
    parsed = Parsed()
    try:
        text = source.content.decode("utf-8-sig")
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                parsed.findings.append(finding("alias", _at(source.name, event)))
                return parsed
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as error:
        line = source.content.count(b"\n", 0, error.start) + 1
        spoiled = source.content[error.start : error.start + 4].hex(" ")
        parsed.findings.append(finding("undecodable", Place(source.name, line), count=1, bytes=spoiled))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        parsed.findings.append(finding("not_yaml", Place(source.name, line), detail=error.problem or error.context))
    except (yaml.YAMLError, RecursionError) as error:
        parsed.findings.append(finding("not_yaml", Place(source.name), detail=type(error).__name__))
    else:
        _read_root(root, source.name, parsed)
    return parsed


def _at(name: str, event: yaml.Event) -> Place:
    return Place(name, event.start_mark.line + 1 if event.start_mark else None)


def _read_root(root: yaml.Node | None, name: str, parsed: Parsed) -> None:
    if root is None:
        parsed.findings.append(finding("empty_file", Place(name)))
        return
    if not isinstance(root, yaml.MappingNode):
        parsed.findings.append(finding("shape", Place(name, 1), what="ファイル / the file"))
        return
    seen_format = False
    for key, node in root.value:
        place = Place(name, key.start_mark.line + 1)
        if key.value == "format":
            seen_format = True
            if node.value != FORMAT:
                parsed.findings.append(finding("format", place, found=node.value))
        elif key.value not in set(Kind):
            parsed.findings.append(finding("unknown_key", place, key=key.value, known=_KNOWN))
        elif Kind(key.value) in parsed.lists:
            parsed.findings.append(finding("column_twice", place, column=key.value))
        else:
            parsed.lists[Kind(key.value)] = _read_list(Kind(key.value), node, place, parsed)
    if not seen_format:
        parsed.findings.append(finding("format", Place(name, 1), found="-"))


def _read_list(kind: Kind, node: yaml.Node, place: Place, parsed: Parsed) -> list[Record]:
    if node.tag == _NULL:
        return []
    if not isinstance(node, yaml.SequenceNode):
        parsed.findings.append(finding("shape", place, what=kind))
        return []
    if len(node.value) > MOST_ROWS:
        parsed.findings.append(finding("too_large", place, limit=f"{MOST_ROWS:,}"))
        return []
    return [record for item in node.value if (record := _read_record(kind, item, place, parsed))]


def _read_record(kind: Kind, node: yaml.Node, above: Place, parsed: Parsed) -> Record | None:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        parsed.findings.append(finding("shape", Place(above.file, line, kind), what=texts.KIND[kind].ja))
        return None
    fields = {field.name: field for field in FIELDS[kind]}
    values: dict[str, str | Sequence[str]] = {}
    for key, value in node.value:
        place = Place(above.file, key.start_mark.line + 1, kind)
        field = fields.get(str(key.value))
        if field is None:
            parsed.findings.append(finding("unknown_key", place, key=key.value, known=", ".join(fields)))
        elif field.name in values:
            parsed.findings.append(finding("column_twice", place, column=field.title))
        else:
            found = _value(field, value)
            if found is None:
                parsed.findings.append(finding("shape", place, what=field.title))
            else:
                values[field.name] = found
    return Record(line, values)


def _value(field: Field, node: yaml.Node) -> str | Sequence[str] | None:
    """The texts of a node as they stand in the file; None when it has another shape."""
    if node.tag == _NULL:
        return () if field.many else ""
    if field.many and isinstance(node, yaml.SequenceNode):
        if all(isinstance(item, yaml.ScalarNode) for item in node.value):
            return [item.value for item in node.value]
        return None
    if not isinstance(node, yaml.ScalarNode):
        return None
    return [node.value] if field.many else str(node.value)


def write(register: Register) -> str:
    """All four lists as one file, which `parse` reads back to the same.

    Written by hand: the library's fast writer spells 𠮷 as an escape, and its other one takes seconds for 3,000 people.
    """
    lines = [f"format: {FORMAT}"]
    for kind in Kind:
        entries = sorted(register.of(kind).values(), key=lambda entry: entry.id)
        lines.append(f"{kind}:" if entries else f"{kind}: []")
        for entry in entries:
            pairs = list(_pairs(kind, entry))
            lines += [f"{'- ' if position == 0 else '  '}{name}: {text}" for position, (name, text) in enumerate(pairs)]
    return "\n".join(lines) + "\n"


def _pairs(kind: Kind, entry: Entry) -> Iterator[tuple[str, str]]:
    """Fields with their texts: choices by their stable names, what is absent left out."""
    for field in FIELDS[kind]:
        value = getattr(entry, field.name)
        if field.many:
            if value:
                yield field.name, "[" + ", ".join(_quoted(str(item)) for item in value) + "]"
        elif isinstance(value, bool):
            yield field.name, _quoted(shown(field, value))
        elif isinstance(value, StrEnum | int):
            yield field.name, str(value)
        elif value is not None and value != "":
            yield field.name, _quoted(value)


def _quoted(text: str) -> str:
    """A double-quoted scalar; JSON's escapes are a part of YAML's, and what does not print gets one, too."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\u3000" else _escape(c) for c in plain)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
