"""What the conditions of one rule say about another's: can they ever hold, and does one set imply the other? Pure.

Counterpart: `policy.checks`. Sound, not complete: True is proven, False means "not proven". A rule is read as a
conjunction of single conditions; what is not (any_of, a `not` over several) is opaque: it can only narrow its own
rule, and nothing is ever said to imply it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from policy.schema import Age, Bcp, Dates, Threshold, When

_SINGLE: Final = frozenset(
    {"departments", "employment", "pools", "pool_classes", "zones", "sites", "device_kinds", "factors"}
)
"""Lists over a fact with one value; groups, duties, users and networks may match several names at once."""


@dataclass(slots=True)
class Facts:
    """Single conditions by key: what must hold and what must not."""

    required: dict[str, list[Any]] = field(default_factory=dict)
    excluded: dict[str, list[Any]] = field(default_factory=dict)
    opaque: bool = False


def facts(when: When) -> Facts:
    """The conjunction that a rule's conditions contain."""
    found = Facts()
    _collect(when, found)
    return found


def contradiction(when: When) -> str | None:
    """The key of a condition that can never hold together with the others."""
    found = facts(when)
    for key in {**found.required, **found.excluded}:
        if _empty(key, found.required.get(key, []), found.excluded.get(key, [])):
            return key
    return None


def implies(narrow: When, wide: When) -> bool:
    """Whether everything that meets `narrow` is sure to meet `wide`."""
    inner, outer = facts(narrow), facts(wide)
    if outer.opaque:
        return False
    required = all(_within(key, inner, value) for key, values in outer.required.items() for value in values)
    return required and all(_outside(key, inner, value) for key, values in outer.excluded.items() for value in values)


def _collect(when: When, found: Facts) -> None:
    for key, value in when.given().items():
        if key == "all_of":
            for part in value:
                _collect(part, found)
        elif key == "not_" and len(inner := value.given()) == 1 and not inner.keys() & {"any_of", "all_of", "not_"}:
            name, excluded = next(iter(inner.items()))
            _exclude(name, excluded, found)
        elif key in ("any_of", "not_"):
            found.opaque = True
        elif key == "days_a_week":
            found.required.setdefault(key, []).append(Threshold(below=value))
        else:
            found.required.setdefault(key, []).append(value)


def _exclude(key: str, value: Any, found: Facts) -> None:
    """A `not` over a two-sided condition is the other side; over lists it stays an exclusion."""
    match value:
        case bool():
            found.required.setdefault(key, []).append(not value)
        case Age(at_most=limit) if limit is not None:
            found.required.setdefault(key, []).append(Age(over=limit))
        case Age(over=limit):
            found.required.setdefault(key, []).append(Age(at_most=limit))
        case Threshold(at_least=bound) if bound is not None:
            found.required.setdefault(key, []).append(Threshold(below=bound))
        case Threshold(below=bound):
            found.required.setdefault(key, []).append(Threshold(at_least=bound))
        case int():  # days_a_week: so many days are used up
            found.required.setdefault(key, []).append(Threshold(at_least=value))
        case _:
            found.excluded.setdefault(key, []).append(value)


def _empty(key: str, required: list[Any], excluded: list[Any]) -> bool:
    if not required:
        return False
    first = required[0]
    if isinstance(first, bool):
        return not all(value is first for value in required)
    if isinstance(first, tuple):
        out = {name for names in excluded for name in names}
        if key in _SINGLE:
            return not set.intersection(*map(set, required)) - out
        return any(set(names) <= out for names in required)
    spans = [_span(value) for value in required]
    if any(span is None for span in spans):
        return first in excluded
    known = [span for span in spans if span is not None]
    return max(low for low, _ in known) > min(high for _, high in known)


def _within(key: str, inner: Facts, value: Any) -> bool:
    own = inner.required.get(key, [])
    if isinstance(value, Bcp):
        return any(each.plan == value.plan and (each.level == value.level or each.level == "second") for each in own)
    if isinstance(value, tuple):
        if key in _SINGLE and own:
            return set.intersection(*map(set, own)) <= set(value)
        return any(set(names) <= set(value) for names in own)
    span = _span(value)
    if span is None:
        return value in own
    return any(_inside(_span(each), span) for each in own)


def _outside(key: str, inner: Facts, value: Any) -> bool:
    if isinstance(value, tuple):
        if any(set(value) <= set(names) for names in inner.excluded.get(key, [])):
            return True
        own = inner.required.get(key, [])
        return key in _SINGLE and bool(own) and set.intersection(*map(set, own)).isdisjoint(value)
    return value in inner.excluded.get(key, [])


def _inside(narrow: tuple[float, float] | None, wide: tuple[float, float]) -> bool:
    return narrow is not None and wide[0] <= narrow[0] and narrow[1] <= wide[1]


def _span(value: Any) -> tuple[float, float] | None:
    """The closed range of numbers that a condition covers; None for what is not a range."""
    for kind, make in _SPANS.items():
        if isinstance(value, kind):
            return make(value)
    return None


def _age_span(value: Age) -> tuple[float, float]:
    """In microseconds: "over" begins one microsecond later, which is as fine as a timedelta is."""
    unit = timedelta(microseconds=1)
    if value.at_most is not None:
        return 0, value.at_most // unit
    return (value.over or timedelta()) // unit + 1, float("inf")


def _threshold_span(value: Threshold) -> tuple[float, float]:
    if value.at_least is not None:
        return value.at_least, float("inf")
    return float("-inf"), (value.below or 0) - 1


def _dates_span(value: Dates) -> tuple[float, float]:
    first = value.from_ or date.min
    return first.toordinal(), (value.until or date.max).toordinal()


_SPANS: Final[Mapping[type, Callable[[Any], tuple[float, float]]]] = {
    Age: _age_span,
    Threshold: _threshold_span,
    Dates: _dates_span,
}
