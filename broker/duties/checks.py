"""Whether the entries of a register agree with each other and with the pools: faults and orphans. Pure.

Counterparts: `reading.py` made the entries, `planning.py` calls this on the register as it would be. People may be
named by staff number or user name; `resolved` turns all of them into numbers.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from broker.duties import texts
from broker.duties.fields import title_of
from broker.duties.findings import Finding, Place, finding
from broker.duties.models import (
    USUAL_RESUME,
    Department,
    Duty,
    Entry,
    Kind,
    Priority,
    Register,
    ResumeWithin,
    Site,
    StaffMember,
    Telework,
    name_of,
)
from policy.model import Zone

FIRST: Final = frozenset({Priority.P0, Priority.P1})
"""Classes whose rosters must not be empty."""
_RESUME_ORDER: Final = {within: order for order, within in enumerate(ResumeWithin)}
PlaceOf = Callable[[Kind, Entry], Place]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What duties may name: pools with their zones, static desktops with those of their pools."""

    pools: Mapping[str, Zone | None]
    desktops: Mapping[str, Zone | None]


def folded(username: str) -> str:
    """One spelling for a login name, as directories match them."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def resolved(register: Register, place_of: PlaceOf) -> tuple[Register, list[Finding]]:
    """The register with staff numbers in every list of people; who is unknown stays as written and is a fault."""
    people = _People(register.staff)
    found: list[Finding] = []

    def numbers(kind: Kind, entry: Entry, field: str) -> tuple[str, ...]:
        given: tuple[str, ...] = getattr(entry, field)
        return tuple(people.number(ref, title_of(kind, field), place_of(kind, entry), found) for ref in given)

    departments = {
        key: replace(entry, approvers=numbers(Kind.DEPARTMENTS, entry, "approvers"))
        for key, entry in register.departments.items()
    }
    duties = {
        key: replace(
            entry,
            people=numbers(Kind.DUTIES, entry, "people"),
            substitutes=numbers(Kind.DUTIES, entry, "substitutes"),
        )
        for key, entry in register.duties.items()
    }
    return replace(register, departments=departments, duties=duties), found


class _People:
    """Finds staff by what a file calls them."""

    def __init__(self, staff: Mapping[str, StaffMember]) -> None:
        self._staff = staff
        self._by_username = {folded(member.username): member.id for member in staff.values()}
        self._by_value: dict[str, list[str]] = {}
        for number in staff:
            self._by_value.setdefault(number.lstrip("0"), []).append(number)

    def number(self, ref: str, column: str, place: Place, found: list[Finding]) -> str:
        as_number = ref if ref in self._staff else None
        as_username = self._by_username.get(folded(ref))
        if as_number and as_username and as_number != as_username:
            found.append(finding("ambiguous_staff", place, column=column, id=ref, first=as_number, second=as_username))
            return ref
        if number := as_number or as_username:
            return number
        guesses = self._by_value.get(ref.lstrip("0"), [])
        if len(guesses) == 1:
            name = self._staff[guesses[0]].name
            found.append(finding("lost_zeros", place, column=column, id=ref, guess=guesses[0], name=name))
        else:
            found.append(finding("unknown_staff", place, column=column, id=ref))
        return ref


def check(register: Register, shelf: Shelf, place_of: PlaceOf) -> Iterator[Finding]:
    """Everything that is wrong or left over in a resolved register."""
    yield from _sites(register, place_of)
    yield from _departments(register, place_of)
    yield from _staff(register, place_of)
    for duty in register.duties.values():
        place = place_of(Kind.DUTIES, duty)
        yield from _duty(duty, register, place)
        yield from _roster(duty, register.staff, place)
        yield from _where(duty, shelf, place)


def _sites(register: Register, place_of: PlaceOf) -> Iterator[Finding]:
    owner: dict[str, Site] = {}
    for site in register.sites.values():
        for network in site.networks:
            if network in owner:
                place = place_of(Kind.SITES, site)
                yield finding("same_network", place, network=network, other=owner[network].id)
            owner[network] = site
        yield from _gaiji(site, place_of(Kind.SITES, site))


def _departments(register: Register, place_of: PlaceOf) -> Iterator[Finding]:
    owner: dict[str, Department] = {}
    for department in register.departments.values():
        place = place_of(Kind.DEPARTMENTS, department)
        if department.name_ja in owner:
            yield finding("same_name", place, name=department.name_ja, other=owner[department.name_ja].id)
        owner[department.name_ja] = department
        yield from _twice(department.approvers, Kind.DEPARTMENTS, "approvers", register.staff, place)
        known = [register.staff[number] for number in department.approvers if number in register.staff]
        if all(member.on_leave for member in known) and len(known) == len(department.approvers):
            yield finding("no_approver", place)


def _staff(register: Register, place_of: PlaceOf) -> Iterator[Finding]:
    owner: dict[str, StaffMember] = {}
    for member in register.staff.values():
        place = place_of(Kind.STAFF, member)
        name = folded(member.username)
        if name in owner:
            yield finding("same_username", place, username=member.username, other=owner[name].id)
        owner[name] = member
        if member.department not in register.departments:
            yield finding("unknown_department", place, id=member.department)
        if member.site is not None and member.site not in register.sites:
            yield finding("unknown_site", place, id=member.site)
        yield from _gaiji(member, place)


def _duty(duty: Duty, register: Register, place: Place) -> Iterator[Finding]:
    if duty.department not in register.departments:
        yield finding("unknown_department", place, id=duty.department)
    if duty.zone is Zone.MY_NUMBER and duty.telework is not Telework.NEVER:
        yield finding("my_number", place)
    latest = USUAL_RESUME[duty.priority]
    if duty.priority is not Priority.P4 and _RESUME_ORDER[duty.resume_within] > _RESUME_ORDER[latest]:
        words = texts.RESUME[latest]
        yield finding("resume_too_late", place, priority=duty.priority, limit_ja=words.ja, limit_en=words.en)
    if duty.telework is Telework.CONDITIONAL and not duty.condition:
        yield finding("no_condition", place)
    yield from _gaiji(duty, place)


def _roster(duty: Duty, staff: Mapping[str, StaffMember], place: Place) -> Iterator[Finding]:
    yield from _twice(duty.people, Kind.DUTIES, "people", staff, place)
    yield from _twice(duty.substitutes, Kind.DUTIES, "substitutes", staff, place)
    for number in sorted(set(duty.people) & set(duty.substitutes)):
        yield finding("both_parts", place, id=number, name=_name(staff, number))
    if duty.priority not in FIRST:
        return
    if _none_at_work(duty.people, staff):
        yield finding("no_people", place, priority=duty.priority)
    if _none_at_work(duty.substitutes, staff):
        yield finding("no_substitute", place, priority=duty.priority)


def _none_at_work(numbers: Iterable[str], staff: Mapping[str, StaffMember]) -> bool:
    """Unknown people are a fault of their own and do not count here."""
    return all(number in staff and staff[number].on_leave for number in numbers)


def _twice(
    numbers: Iterable[str], kind: Kind, field: str, staff: Mapping[str, StaffMember], place: Place
) -> Iterator[Finding]:
    for number, count in Counter(numbers).items():
        if count > 1:
            name = _name(staff, number)
            yield finding("duplicate_staff", place, column=title_of(kind, field), id=number, name=name)


def _where(duty: Duty, shelf: Shelf, place: Place) -> Iterator[Finding]:
    for code, names, known in (
        ("unknown_pool", duty.pools, shelf.pools),
        ("unknown_desktop", duty.desktops, shelf.desktops),
    ):
        for name in names:
            if name not in known:
                yield finding(code, place, id=name)
            elif (zone := known[name]) is not duty.zone:
                words = texts.ZONE[zone] if zone else texts.Words("未設定", "not set")
                own = texts.ZONE[duty.zone]
                yield finding(
                    "other_zone", place, id=name, duty_zone_ja=own.ja, duty_zone_en=own.en,
                    pool_zone_ja=words.ja, pool_zone_en=words.en,
                )  # fmt: skip
    has_places = bool(duty.pools or duty.desktops)
    if duty.telework is Telework.NEVER and has_places:
        yield finding("never_but_places", place)
    if duty.telework is not Telework.NEVER and not has_places:
        yield finding("no_place", place)


def _gaiji(entry: Entry, place: Place) -> Iterator[Finding]:
    private = sorted({c for c in name_of(entry) if unicodedata.category(c) == "Co"})
    if private:
        yield finding("gaiji", place, codes=" ".join(f"U+{ord(c):04X}" for c in private))


def _name(staff: Mapping[str, StaffMember], number: str) -> str:
    return staff[number].name if number in staff else number
