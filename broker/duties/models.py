"""The register of a municipality: sites, departments, staff, duties. Pure values, checked by `broker/duties/checks.py`.

Counterparts: `broker/duties/store.py` keeps a register, `broker/duties/book.py` answers questions about one. People are
named by staff number (職員番号, leading zeros kept) everywhere inside a register.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from policy.model import Zone


class Kind(StrEnum):
    """The four lists of a register, in the order in which they build on each other."""

    SITES = "sites"
    DEPARTMENTS = "departments"
    STAFF = "staff"
    DUTIES = "duties"


class Telework(StrEnum):
    """Whether a duty may be done from outside at all (テレワーク区分)."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    """Under the duty's written condition, or when a BCP plan names it."""
    NEVER = "never"


class Priority(StrEnum):
    """Class of a duty when capacity runs out, highest first. The names sort in that order."""

    P0 = "P0"
    """Emergency headquarters and first response (対策本部・応急)."""
    P1 = "P1"
    """Life and shelter: within three hours."""
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class ResumeWithin(StrEnum):
    """Target resume time (目標復旧時間), shortest first."""

    HOURS_3 = "3h"
    DAY_1 = "1d"
    DAYS_3 = "3d"
    WEEKS_2 = "2w"
    MONTH_1 = "1m"


USUAL_RESUME: Final[Mapping[Priority, ResumeWithin]] = {
    Priority.P0: ResumeWithin.HOURS_3,
    Priority.P1: ResumeWithin.HOURS_3,
    Priority.P2: ResumeWithin.DAY_1,
    Priority.P3: ResumeWithin.DAYS_3,
    Priority.P4: ResumeWithin.WEEKS_2,
}
"""What a duty gets that names none; for P0 to P3 also the longest that is allowed."""


class Part(StrEnum):
    """In which part a person stands on a duty's roster."""

    MAIN = "main"
    SUBSTITUTE = "substitute"


@dataclass(frozen=True, slots=True)
class Site:
    """A building with a line of its own. `networks` are CIDR texts; `bandwidth_mbps` is what the line carries."""

    id: str
    name_ja: str
    name_en: str
    networks: tuple[str, ...]
    seats: int
    bandwidth_mbps: int


@dataclass(frozen=True, slots=True)
class Department:
    """A unit of the organisation. `id` is its code (所属コード), `name_ja` what the directory calls it."""

    id: str
    name_ja: str
    name_en: str
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person as the personnel section lists them. `id` is the staff number, `username` the login name."""

    id: str
    username: str
    name: str
    kana: str
    department: str
    title: str
    employment: str
    site: str | None
    on_leave: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """A piece of the municipality's work. `pools` and `desktops` are where it may be done; people in order of call."""

    id: str
    name_ja: str
    name_en: str
    department: str
    zone: Zone
    telework: Telework
    condition: str
    """What must hold for a conditional duty; shown to its people. May have several lines."""
    priority: Priority
    resume_within: ResumeWithin
    pools: tuple[str, ...]
    desktops: tuple[str, ...]
    people: tuple[str, ...]
    substitutes: tuple[str, ...]


Entry = Site | Department | StaffMember | Duty
ENTRY_TYPE: Final[Mapping[Kind, type[Site] | type[Department] | type[StaffMember] | type[Duty]]] = {
    Kind.SITES: Site,
    Kind.DEPARTMENTS: Department,
    Kind.STAFF: StaffMember,
    Kind.DUTIES: Duty,
}


@dataclass(frozen=True)
class Register:
    """Everything, by id. `version` counts the imports; 0 is the empty register of a new installation."""

    version: int = 0
    sites: Mapping[str, Site] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    staff: Mapping[str, StaffMember] = field(default_factory=dict)
    duties: Mapping[str, Duty] = field(default_factory=dict)

    def of(self, kind: Kind) -> Mapping[str, Entry]:
        """One of the four lists."""
        match kind:
            case Kind.SITES:
                return self.sites
            case Kind.DEPARTMENTS:
                return self.departments
            case Kind.STAFF:
                return self.staff
            case Kind.DUTIES:
                return self.duties

    def entries(self) -> Iterator[tuple[Kind, Entry]]:
        """All of all lists."""
        for kind in Kind:
            for entry in self.of(kind).values():
                yield kind, entry


def name_of(entry: Entry) -> str:
    """What people call it."""
    return entry.name if isinstance(entry, StaffMember) else entry.name_ja
