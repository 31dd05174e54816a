"""Writes the reference pages that are made from code: settings and API. A test compares them with the tree.

`python -m gateway.reference docs/reference`
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.openapi import document
from gateway.routes import ROUTES
from gateway.settings import Settings

_HEAD = """# Settings

One TOML file, named by `--config` or `KAKEHASHI_CONFIG` (default `/etc/kakehashi/gateway.toml`). A variable such as
`KAKEHASHI_HTTP__PORT` sets `[http] port` and wins over the file; lists are written as JSON. Unknown keys are errors.
This page is made from the code (`make docs`).
"""
_ROUTES_HEAD = """# Routes and permissions

Every route of the gateway, with the permission it asks for. This page is made from the route table (`make docs`); the
bodies are described by `/api/v1/openapi.json` ([openapi.json](openapi.json)).

| method | path | permission | what |
|---|---|---|---|
"""


def settings_page() -> str:
    """Every setting with type, default and description, table by table."""
    return _HEAD + "".join(_table("", Settings))


def _table(path: str, model: type[BaseModel]) -> Iterator[str]:
    sections: list[tuple[str, type[BaseModel]]] = []
    rows = []
    for name, field in model.model_fields.items():
        where = f"{path}.{name}" if path else name
        inner = _model(field.annotation)
        if inner is not None:
            many = "tuple" in str(field.annotation) or "list" in str(field.annotation)
            sections.append((f"[{where}]" if many else where, inner))
        else:
            rows.append(f"| `{name}` | {_type(field)} | {_default(field)} | {field.description} |\n")
    if rows:
        title = path or "Top level"
        yield f"\n## {title}\n\n{model.__doc__ or ''}\n\n| setting | type | default | meaning |\n|---|---|---|---|\n"
        yield from rows
    for where, inner in sections:
        yield from _table(where, inner)


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := _model(argument))), None)


def _type(field: FieldInfo) -> str:
    names = str(field.annotation).replace("typing.", "").replace("pathlib.", "").replace("ipaddress.", "")
    plain = names.removeprefix("<class '").removesuffix("'>").rsplit("common.secret.", 1)[-1]
    return plain.replace("|", "or").replace("NoneType", "None")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True) if field.default is PydanticUndefined else field.default
    return "none" if value is None else f"`{json.dumps(value, default=str, ensure_ascii=False)}`"


def routes_page() -> str:
    """Every route with its permission."""
    return _ROUTES_HEAD + "".join(
        f"| {route.method} | `{route.path}` | {route.permission} | {route.summary} |\n" for route in ROUTES
    )


def pages() -> dict[str, str]:
    """File name to content."""
    return {
        "settings.md": settings_page(),
        "routes.md": routes_page(),
        "openapi.json": json.dumps(document(ROUTES), ensure_ascii=False, indent=2) + "\n",
    }


def main(folder: Path) -> None:
    """Write all pages."""
    for name, content in pages().items():
        (folder / name).write_text(content, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
