"""From YAML text to a `PolicyDocument`, or every fault at once with rule, place and line. Pure: takes text, not paths.

Counterpart: `policy.schema` (the shape), `policy.checks` (what the shape cannot see), `policy.service` (reads
files). Anchors and aliases are refused: nine lines of them expand to gigabytes. So are duplicate keys, of which
YAML would silently keep the last.
"""

import difflib
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import PolicyDocument

MAX_CHARS: Final = 300_000
MAX_DEPTH: Final = 24

M = TypeVar("M", bound=BaseModel)
Loc = tuple[int | str, ...]
Lines = dict[Loc, int]

_MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "missing": ("必須の項目です。書いてください。", "This is required."),
    "string_type": ("文字列ではありません。引用符で囲んでください。", "Not a text: put it in quotes."),
    "bool_type": ("true か false を書いてください。", "Write true or false."),
    "int_type": ("整数を書いてください。", "Write a whole number."),
    "tuple_type": ("一覧 [a, b] の形で書いてください。", "Write a list such as [a, b]."),
    "dict_type": ("「名前: 値」の形で書いてください。", "Write a mapping of names to values."),
    "model_type": ("「項目: 値」の形で書いてください。", "Write a mapping of keys to values."),
    "too_short": ("一つ以上書いてください。", "Give at least one."),
    "too_long": ("数が多すぎます（上限 {max_length}）。", "Too many (at most {max_length})."),
    "enum": ("使える値は {expected} です。", "Use {expected}."),
    "literal_error": ("使える値は {expected} です。", "Use {expected}."),
    "greater_than_equal": ("{ge} 以上にしてください。", "Must be at least {ge}."),
    "less_than_equal": ("{le} 以下にしてください。", "Must be at most {le}."),
    "string_too_long": ("長すぎます（上限 {max_length} 文字）。", "Too long (at most {max_length} characters)."),
    "string_pattern_mismatch": (
        "規則のidは「N-01」のように、大文字で始まる英数字とハイフンで書いてください。",
        'A rule id is letters, digits and hyphens and begins with a capital, for example "N-01".',
    ),
}


def parse(content: bytes | str) -> tuple[PolicyDocument, Lines]:
    """The document and the line of every key and item. Raises PolicyInvalid with all faults found."""
    return parse_as(PolicyDocument, content, _rule_id)


def parse_as(model: type[M], content: bytes | str, name_of: Callable[[Loc, Any], str | None]) -> tuple[M, Lines]:
    """The same for another kind of file; `name_of` gives the rule's name for a place in the tree."""
    tree, lines = _compose(_text(content))
    try:
        return model.model_validate(tree), lines
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=True)
        where = {fault["loc"] for fault in faults}
        real = [f for f in faults if not _echo(f, where)]
        raise PolicyInvalid([_problem(fault, model, name_of(fault["loc"], tree), lines) for fault in real]) from None


def _text(content: bytes | str) -> str:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyInvalid(
            [_whole("UTF-8のファイルではありません（Shift_JISで保存していませんか）。", "Not a UTF-8 file.")]
        ) from None
    if len(text) > MAX_CHARS:
        raise PolicyInvalid(
            [_whole("ファイルが大きすぎます（上限30万文字）。", "The file is too large (at most 300,000 characters).")]
        )
    return text


def path(loc: Loc) -> str:
    """ "rules[3].when.hours" for ("rules", 3, "when", "hours")."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "(file)"


def line_of(loc: Loc, lines: Lines) -> int | None:
    """The line of the place or of the nearest thing around it."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc)


def near(word: str, known: list[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def _whole(text_ja: str, text_en: str, line: int | None = None) -> Problem:
    return Problem(Severity.ERROR, "(file)", text_ja, text_en, line=line)


class _Loader(yaml.SafeLoader):
    """Safe YAML without anchors and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Refuse before anything is expanded."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave the parser's methods out
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors (&) and aliases (*) are refused", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _compose(text: str) -> tuple[Any, Lines]:
    lines: Lines = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise PolicyInvalid([_whole("ファイルが空です。", "The file is empty.")])
        if doubles := list(_walk(node, (), lines)):
            raise PolicyInvalid(doubles)
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or "unreadable"
        line = mark.line + 1 if mark else None
        raise PolicyInvalid(
            [_whole(f"YAMLの書き方に誤りがあります: {detail}", f"Not valid YAML: {detail}", line)]
        ) from None
    except (RecursionError, ValueError) as error:
        raise PolicyInvalid([_whole(f"YAMLを読めません: {error}", f"Unreadable YAML: {error}")]) from None


def _walk(node: yaml.Node, loc: Loc, lines: Lines) -> Iterator[Problem]:
    """Note the line of every place; yield doubled keys and nesting that is too deep."""
    lines[loc] = node.start_mark.line + 1
    if len(loc) > MAX_DEPTH:
        yield Problem(Severity.ERROR, path(loc), "入れ子が深すぎます。", "Nested too deeply.", line=lines[loc])
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*loc, index), lines)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                line = key.start_mark.line + 1
                yield Problem(
                    Severity.ERROR,
                    path((*loc, name)),
                    "同じ項目が二度あります。",
                    "This key is there twice.",
                    line=line,
                )
            seen.add(name)
            yield from _walk(value, (*loc, name), lines)
            lines[(*loc, name)] = key.start_mark.line + 1


def _echo(fault: ErrorDetails, where: set[Loc]) -> bool:
    """pydantic also calls a list too short whose items are faulty: that says nothing new."""
    loc = fault["loc"]
    return fault["type"] == "too_short" and any(other[: len(loc)] == loc != other for other in where)


def _problem(fault: ErrorDetails, model: type[BaseModel], rule_id: str | None, lines: Lines) -> Problem:
    loc = fault["loc"]
    text_ja, text_en = _texts(fault, model)
    return Problem(Severity.ERROR, path(loc), text_ja, text_en, rule_id, line_of(loc, lines))


def _texts(fault: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    context = fault.get("ctx", {})
    if fault["type"] == "policy":
        return context["text_ja"], context["text_en"]
    if fault["type"] == "extra_forbidden":
        return _unknown_key(fault["loc"], model)
    text_ja, text_en = _MESSAGES.get(fault["type"], (f"値が正しくありません: {fault['msg']}", fault["msg"]))
    text_ja, text_en = text_ja.format(**context), text_en.format(**context)
    expected = [word.strip("'") for word in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
    if meant := near(str(fault["input"]), expected):
        return f"{text_ja}「{meant}」ではありませんか。", f"{text_en} Did you mean {meant!r}?"
    return text_ja, text_en


def _unknown_key(loc: Loc, root: type[BaseModel]) -> tuple[str, str]:
    word = str(loc[-1])
    known = _keys_at(loc[:-1], root)
    if meant := near(word, known):
        return (
            f"「{word}」という項目はありません。「{meant}」ではありませんか。",
            f"No key {word!r}. Did you mean {meant!r}?",
        )
    listed = ", ".join(known)
    return f"「{word}」という項目はありません。使える項目: {listed}", f"No key {word!r}. Known here: {listed}"


def _keys_at(loc: Loc, model: type[BaseModel]) -> list[str]:
    """The keys that the mapping at this place of the model may have."""
    for part in loc:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if isinstance(part, str) and part in fields:
            model = next(_models(fields[part].annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _rule_id(loc: Loc, tree: Any) -> str | None:
    match loc:
        case ("rules", int(index), *_):
            rule = tree["rules"][index]
            found = rule.get("id") if isinstance(rule, dict) else None
            return found if isinstance(found, str) else f"#{index + 1}"
        case _:
            return None
