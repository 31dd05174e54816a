"""Questions about one register, answered from memory: a person's duties, their class, the site of an address. Pure.

Counterpart: `broker/duties/service.py` keeps the newest one. Whoever is not in the register, or is on leave, has no
duty and no class.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from broker.duties.checks import folded
from broker.duties.models import Department, Duty, Part, Priority, Register, Site, StaffMember
from policy.bcp.plan import substitute_of


@dataclass(frozen=True, slots=True)
class Held:
    """A duty that somebody stands on the roster of."""

    duty: Duty
    part: Part
    department: Department | None


class DutyBook:
    """An index over a register, immutable."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self._numbers = {folded(member.username): member.id for member in register.staff.values()}
        held: dict[str, list[Held]] = {}
        for duty in sorted(register.duties.values(), key=lambda duty: (duty.priority, duty.id)):
            department = register.departments.get(duty.department)
            for part, numbers in ((Part.MAIN, duty.people), (Part.SUBSTITUTE, duty.substitutes)):
                for number in numbers:
                    if not register.staff[number].on_leave:
                        held.setdefault(number, []).append(Held(duty, part, department))
        self._held: Mapping[str, tuple[Held, ...]] = {number: tuple(duties) for number, duties in held.items()}
        self._facts = {number: frozenset(_fact(one) for one in duties) for number, duties in self._held.items()}

    def member(self, username: str) -> StaffMember | None:
        """The person with this login name."""
        number = self._numbers.get(folded(username))
        return None if number is None else self.register.staff[number]

    def duties_of(self, username: str) -> frozenset[str]:
        """`Subject.duties`: ids of the duties whose roster names the person; as a substitute, by `substitute_of`."""
        return self._facts.get(self._numbers.get(folded(username), ""), frozenset())

    def held_by(self, username: str) -> tuple[Held, ...]:
        """The same with everything about them, highest class first."""
        return self._held.get(self._numbers.get(folded(username), ""), ())

    def priority_in(self, username: str, pool_id: str, *, substitutes: bool = False) -> Priority | None:
        """The highest class that the person's duties have in a pool; None when none of them may be done there."""
        classes = [
            held.duty.priority
            for held in self.held_by(username)
            if pool_id in held.duty.pools and (substitutes or held.part is Part.MAIN)
        ]
        return min(classes, default=None)

    def people_of(self, duty_ids: Iterable[str], *, substitutes: bool = False) -> tuple[StaffMember, ...]:
        """Everybody at work on the rosters of these duties, once, by number."""
        numbers: set[str] = set()
        for duty_id in duty_ids:
            if duty := self.register.duties.get(duty_id):
                numbers.update(duty.people, duty.substitutes if substitutes else ())
        members = (self.register.staff[number] for number in sorted(numbers))
        return tuple(member for member in members if not member.on_leave)

    def site_of(self, address: IPv4Address | IPv6Address) -> Site | None:
        """The site whose narrowest network holds the address."""
        return next((site for network, site in self._networks if address in network), None)

    @cached_property
    def _networks(self) -> tuple[tuple[IPv4Network | IPv6Network, Site], ...]:
        found = [(ip_network(text), site) for site in self.register.sites.values() for text in site.networks]
        return tuple(sorted(found, key=lambda pair: -pair[0].prefixlen))


def _fact(held: Held) -> str:
    """A rule that means substitutes, too, must say so: they carry the duty under another name."""
    return held.duty.id if held.part is Part.MAIN else substitute_of(held.duty.id)


EMPTY: Final = DutyBook(Register())
"""Of an installation without a register: nobody has a duty."""
