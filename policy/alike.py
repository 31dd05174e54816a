"""Who looks alike to the rules: such people, and such pools, need judging only once. Pure.

Counterparts: `policy.what_if` (another policy), `policy.bcp.what_if` (a declaration).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, TypeVar

from policy.model import Resource, Subject
from policy.schema import When

T = TypeVar("T")
_OTHER: Final = "\0other"


class Named:
    """What rules with these conditions can tell apart."""

    def __init__(self, whens: Iterable[When]) -> None:
        self.by_key: Final[dict[str, set[str]]] = defaultdict(set)
        for when in whens:
            for part in parts(when):
                for key, value in part.given().items():
                    if isinstance(value, tuple) and key not in ("any_of", "all_of"):
                        self.by_key[key].update(map(str, value))

    def person(self, person: Subject) -> Hashable:
        """Equal for people whom nothing tells apart."""
        users = self.by_key["users"]
        return (
            person.tenant_id,
            person.suspended,
            person.groups & self.by_key["groups"],
            person.duties & self.by_key["duties"],
            self.one("departments", person.department),
            self.one("employment", person.employment),
            (person.username, person.user_id) if person.username in users or person.user_id in users else None,
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

    def one(self, key: str, value: str | None) -> str | None:
        """The value as far as it matters: those that no condition of this kind names are all one."""
        return value if value is None or value in self.by_key[key] else _OTHER


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
