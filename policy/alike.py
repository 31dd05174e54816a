"""Who looks alike to the rules: such people, and such pools, need judging only once. Pure.

Counterparts: `policy.what_if` (another policy), `policy.bcp.what_if` (a declaration).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, TypeVar

from policy.model import Resource, Subject
from policy.schema import When

T = TypeVar("T")


class Named:
    """What rules with these conditions can tell apart: not the names themselves, but which lists hold them."""

    def __init__(self, whens: Iterable[When]) -> None:
        self._lists: Final[dict[str, set[frozenset[str]]]] = defaultdict(set)
        self._bits: Final[dict[tuple[str, str], int]] = defaultdict(int)
        """Of a kind of condition and a name: a bit for each list that holds the name."""
        for when in whens:
            for part in parts(when):
                for key, value in part.given().items():
                    if isinstance(value, tuple) and key not in ("any_of", "all_of"):
                        self.add(key, map(str, value))

    def add(self, key: str, names: Iterable[str]) -> None:
        """A condition of this kind that asks for one of these names."""
        asked, known = frozenset(names), self._lists[key]
        if asked not in known:
            bit = 1 << len(known)
            known.add(asked)
            for name in asked:
                self._bits[key, name] |= bit

    def person(self, person: Subject) -> Hashable:
        """Equal for people whom nothing tells apart."""
        return (
            person.tenant_id,
            person.suspended,
            self.some("groups", person.groups),
            self.some("duties", person.duties),
            self.one("departments", person.department),
            self.one("employment", person.employment),
            self.some("users", (person.username, person.user_id)),
        )

    def resource(self, resource: Resource) -> Hashable:
        """Equal for pools that nothing tells apart."""
        return (
            resource.tenant_id,
            resource.zone,
            self.one("pools", resource.pool_id),
            self.one("pool_classes", resource.pool_class),
            self.one("sites", resource.site),
        )

    def one(self, key: str, value: str | None) -> int | None:
        """The lists of this kind that hold the value; None when it is not known."""
        return value if value is None else self._bits.get((key, value), 0)

    def some(self, key: str, values: Iterable[str]) -> int:
        """The lists of this kind that hold one of the values."""
        bits = 0
        for value in values:
            bits |= self._bits.get((key, value), 0)
        return bits


def parts(when: When) -> Iterator[When]:
    """The conditions and all that are nested in them."""
    yield when
    for part in (*(when.any_of or ()), *(when.all_of or ()), *((when.not_,) if when.not_ else ())):
        yield from parts(part)


def classes(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """The items in groups of equal keys."""
    found: dict[Hashable, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())
