"""A whole city of invented people, the same in every run: staff, departments, sites, duties with rosters, PCs, plans.

One generator for the demo, the tests and the benchmarks. `sample()` is the demo's city: the people of
`gateway/demo/city.py`; larger ones add to them. Its parts are an LDAP directory (`gateway/demo/directory.py`),
import files of the register, policy subjects, and the file of its BCP plans (`gateway/demo/plans.py`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from broker.duties import csv_files, yaml_files
from broker.duties.book import DutyBook
from broker.duties.models import Department, Duty, Kind, Priority, Register, StaffMember
from common.ids import TenantId, UserId
from gateway.demo import city, organisation
from gateway.demo.city import Staff
from gateway.demo.names import FAMILY, FAMILY_KANA, GIVEN, GIVEN_KANA
from gateway.demo.plans import plans_of
from policy.model import Subject, Zone

T = TypeVar("T")
FULL: Final = 3_000
"""What is planned for: 2,000 regular staff and those with yearly contracts."""
POOLS: Final[Mapping[Zone, str]] = {Zone.LGWAN: "office-desktop", Zone.INTERNET: "internet-desktop"}
_FIRST_NUMBER: Final = 1001
_TITLES: Final = (("課長", 3), ("課長補佐", 4), ("係長", 12), ("主査", 18), ("主任", 22), ("主事", 41))
_EMPLOYMENT: Final = (("regular", 64), ("fixed-term", 30), ("reappointed", 6))
_GROUPS: Final = (
    ((city.TELEWORK, city.DAY_SHIFT), 55),
    ((city.DAY_SHIFT,), 27),
    ((city.NIGHT_SHIFT,), 6),
    ((city.TELEWORK,), 7),
    ((city.DAY_SHIFT, city.TRAINEE), 5),
)
_ROSTER: Final = {Priority.P0: 14, Priority.P1: 12, Priority.P2: 10, Priority.P3: 8, Priority.P4: 6}
_SUBSTITUTES: Final = {Priority.P0: 5, Priority.P1: 4, Priority.P2: 3, Priority.P3: 2, Priority.P4: 2}
_CHIEFS: Final = ("課長", "危機管理監", "消防司令補", "係長", "課長補佐")


class Draw:
    """Numbers that look drawn and are the same for the same seed on every machine and Python."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0
        self._left: list[int] = []

    def below(self, limit: int) -> int:
        """0 to limit - 1."""
        if not self._left:
            block = hashlib.sha256(f"{self._seed}|{self._count}".encode()).digest()
            self._count += 1
            self._left = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 32, 4)]
        return self._left.pop() % limit

    def one(self, of: Sequence[T]) -> T:
        """One of them."""
        return of[self.below(len(of))]

    def weighted(self, of: Sequence[tuple[T, int]]) -> T:
        """One of them, as often as its weight says."""
        left = self.below(sum(weight for _, weight in of))
        for value, weight in of:
            left -= weight
            if left < 0:
                return value
        raise AssertionError("weights are positive")

    def some(self, of: Sequence[T], count: int) -> list[T]:
        """At most `count` different ones, in drawn order."""
        left = list(of)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


@dataclass(frozen=True, slots=True)
class Pc:
    """An office PC and whose it is."""

    id: str
    staff_number: str
    site: str
    host: str
    wakes_by_lan: bool
    """Those on wireless LAN cannot be woken."""


@dataclass(frozen=True)
class SyntheticCity:
    """All of it."""

    people: tuple[Staff, ...]
    register: Register
    pcs: tuple[Pc, ...]
    plans: str
    """The text of the file of its BCP plans."""

    def subjects(self, tenant_id: TenantId = city.TENANT) -> tuple[Subject, ...]:
        """Everybody as policy sees them, with the duties of the register."""
        book = DutyBook(self.register)
        return tuple(
            Subject(
                tenant_id=tenant_id,
                user_id=UserId(f"usr_{person.number}"),
                username=person.uid,
                groups=frozenset(person.groups),
                department=person.department,
                duties=book.duties_of(person.uid),
                employment=person.employment,
                suspended=person.retired,
                site=self.register.staff[person.number].site,
            )
            for person in self.people
        )

    def files(self) -> dict[str, bytes]:
        """The register as import files: four CSV lists and one YAML file."""
        found = {f"{kind}.csv": csv_files.write(kind, tuple(self.register.of(kind).values())).encode() for kind in Kind}
        return found | {"register.yaml": yaml_files.write(self.register).encode()}


def generate(size: int = FULL, *, seed: str = "kakehashi", pools: Mapping[Zone, str] = POOLS) -> SyntheticCity:
    """A city of `size` people, at least the thirty of the demo. Consistent: its register has no finding."""
    draw = Draw(seed)
    people = _people(draw, size)
    staff = {person.number: _member(draw, person) for person in sorted(people, key=lambda person: person.number)}
    by_department: dict[str, list[StaffMember]] = {unit.code: [] for unit in organisation.DEPARTMENTS}
    for member in staff.values():
        if not member.on_leave:
            by_department[member.department].append(member)
    register = Register(
        sites={site.id: site for site in sorted(organisation.SITES, key=lambda site: site.id)},
        departments={unit.code: _department(unit, by_department[unit.code]) for unit in organisation.DEPARTMENTS},
        staff=staff,
        duties={
            duty.id: _with_people(draw, duty, by_department)
            for duty in sorted(organisation.duties(pools), key=lambda duty: duty.id)
        },
    )
    return SyntheticCity(people, register, tuple(_pcs(draw, staff.values())), plans_of(register, pools))


def sample() -> SyntheticCity:
    """The city of the demo: its thirty people."""
    return generate(len(city.staff()))


def _people(draw: Draw, size: int) -> tuple[Staff, ...]:
    named = city.staff()
    if size < len(named):
        raise ValueError(f"the city has at least {len(named)} people")
    taken = {person.uid for person in named}
    shares = [(unit, unit.share) for unit in organisation.DEPARTMENTS]
    people = list(named)
    for place in range(size - len(named)):
        (family, _, family_roman), (given, _, given_roman) = draw.one(FAMILY), draw.one(GIVEN)
        uid = first = f"{family_roman}.{given_roman}"
        again = 1
        while uid in taken:
            again += 1
            uid = f"{first}{again}"
        taken.add(uid)
        people.append(
            Staff(
                number=f"{_FIRST_NUMBER + place:06d}",
                uid=uid,
                family=family,
                given=given,
                department=draw.weighted(shares).name_ja,
                title=draw.weighted(_TITLES),
                groups=draw.weighted(_GROUPS),
                employment=draw.weighted(_EMPLOYMENT),
            )
        )
    return tuple(people)


_UNITS: Final = {unit.name_ja: unit for unit in organisation.DEPARTMENTS}


def _member(draw: Draw, person: Staff) -> StaffMember:
    unit = _UNITS[person.department]
    return StaffMember(
        id=person.number,
        username=person.uid,
        name=person.display_name,
        kana=f"{FAMILY_KANA[person.family]} {GIVEN_KANA[person.given]}",
        department=unit.code,
        title=person.title,
        employment=person.employment,
        site=unit.sites[0] if draw.below(10) < 7 else draw.one(unit.sites),
        on_leave=person.retired or (len(person.number) > 4 and draw.below(50) == 0),
    )


def _department(unit: organisation.Unit, members: Sequence[StaffMember]) -> Department:
    chiefs = sorted(
        members, key=lambda member: (_CHIEFS.index(member.title) if member.title in _CHIEFS else 9, member.id)
    )
    return Department(unit.code, unit.name_ja, unit.name_en, tuple(member.id for member in chiefs[:2]))


def _with_people(draw: Draw, duty: Duty, by_department: Mapping[str, Sequence[StaffMember]]) -> Duty:
    """Main people from its own department, substitutes from there, too; a department of one borrows from another."""
    own = by_department[duty.department]
    main = draw.some(own, min(_ROSTER[duty.priority], max(1, (len(own) + 1) // 2)))
    chosen = {member.id for member in main}
    spare = [member for member in own if member.id not in chosen]
    lent = [member for code, members in by_department.items() if code != duty.department for member in members[:3]]
    substitutes = draw.some(spare, _SUBSTITUTES[duty.priority]) if spare else draw.some(lent, 1)
    return replace(
        duty,
        people=tuple(member.id for member in main),
        substitutes=tuple(member.id for member in substitutes),
    )


def _pcs(draw: Draw, staff: Iterable[StaffMember]) -> list[Pc]:
    """Nine of ten have a PC of their own; most offices are on wireless LAN."""
    return [
        Pc(
            id=f"pc-{member.id}",
            staff_number=member.id,
            site=member.site or "hq",
            host=f"pc-{member.id}.{member.site or 'hq'}.city.kakehashi.example",
            wakes_by_lan=draw.below(10) < 3,
        )
        for member in staff
        if draw.below(10) < 9
    ]
