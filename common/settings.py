"""One TOML file plus KAKEHASHI_* variables become one frozen settings object. The only reader of the environment.

`KAKEHASHI_AUTH__LDAP__BASE_DN` sets `[auth.ldap] base_dn` and wins over the file. A key that no setting has is an error
that names the nearest right one: a misspelt guard must not silently stay at its default.
"""

import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from common.errors import ConfigError

PREFIX: Final = "KAKEHASHI_"
CONFIG_VARIABLE: Final = "KAKEHASHI_CONFIG"
"""Names the TOML file; read by the command line, not a setting."""
DEMO_VARIABLES: Final = "KAKEHASHI_DEMO_"
"""Variables of the demo, which are not settings of the gateway."""

M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """Base of every settings model: frozen, no unknown keys, every field described."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)


def load(model: type[M], toml_path: Path | None, env: Mapping[str, str] | None = None) -> M:
    """Read the settings. Raises ConfigError with one line per fault: where, what, and what to do."""
    merged = _read_toml(toml_path) if toml_path else {}
    for path, value in _variables(env if env is not None else os.environ):  # noqa: TID251 - the one reader
        _put(merged, path, value)
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [_explain(model, fault) for fault in faults]
        raise ConfigError("\n".join([f"{toml_path or 'settings'}: {len(lines)} fault(s)", *lines])) from None


def config_path(env: Mapping[str, str] | None = None) -> Path | None:
    """The file that KAKEHASHI_CONFIG names, if any."""
    value = (env if env is not None else os.environ).get(CONFIG_VARIABLE)  # noqa: TID251 - the one reader
    return Path(value) if value else None


def environment() -> Mapping[str, str]:
    """The process environment, for children that must inherit part of it."""
    return dict(os.environ)  # noqa: TID251 - the one reader


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _variables(env: Mapping[str, str]) -> Iterator[tuple[list[str], Any]]:
    for name, text in sorted(env.items()):
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and not name.startswith(DEMO_VARIABLES):
            yield name[len(PREFIX) :].lower().split("__"), _value(text)


def _value(text: str) -> Any:
    """Lists and tables are written as JSON; everything else stays text and pydantic converts it."""
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for depth, key in enumerate(path[:-1]):
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{PREFIX}{'__'.join(path).upper()}: {'.'.join(path[: depth + 1])} is not a table")
    tree[path[-1]] = value


def _explain(model: type[BaseModel], fault: ErrorDetails) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = list(_fields_at(model, fault["loc"][:-1]))
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"  {where}: unknown setting; {hint}"
    return f"  {where}: {fault['msg']}"


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> Iterator[str]:
    """Names of the settings of the table at `loc`."""
    models = [model]
    for part in loc:
        if not isinstance(part, int):
            models = [
                inner for m in models if part in m.model_fields for inner in _models_in(m.model_fields[part].annotation)
            ] or models
    for found in models:
        yield from found.model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
