"""Small registers and their files, for tests of duties and of what builds on them."""

from dataclasses import replace
from typing import Any

from broker.duties.checks import Shelf
from broker.duties.models import (
    Department,
    Duty,
    Priority,
    Register,
    ResumeWithin,
    Site,
    StaffMember,
    Telework,
)
from broker.duties.planning import Plan, plan
from broker.duties.records import SourceFile
from common.ids import TenantId
from policy.model import Zone

CITY = TenantId("city")
SHELF = Shelf({"office": Zone.LGWAN, "net": Zone.INTERNET, "records": Zone.MY_NUMBER}, {"pc-1": Zone.LGWAN})


def member(number: str, username: str, **over: Any) -> StaffMember:
    """Somebody of department 110."""
    whole = StaffMember(number, username, f"髙橋 {number}", "たかはし", "110", "主任", "regular", "hq", on_leave=False)
    return replace(whole, **over)


def duty(duty_id: str, **over: Any) -> Duty:
    """A P2 duty that sato has, suzuki stands in for, done in the pool `office`."""
    whole = Duty(
        id=duty_id,
        name_ja="給与の支給",
        name_en="Payroll",
        department="110",
        zone=Zone.LGWAN,
        telework=Telework.ALLOWED,
        condition="",
        priority=Priority.P2,
        resume_within=ResumeWithin.DAY_1,
        pools=("office",),
        desktops=(),
        people=("0101",),
        substitutes=("0102",),
    )
    return replace(whole, **over)


def register(*duties: Duty, staff: tuple[StaffMember, ...] = (), **over: Any) -> Register:
    """One site, one department with an approver, sato 0101 and suzuki 0102 (and `staff`), these duties."""
    people = (member("0101", "sato"), member("0102", "suzuki"), *staff)
    whole = Register(
        sites={"hq": Site("hq", "本庁舎", "City hall", ("10.1.0.0/16",), 400, 1000)},
        departments={"110": Department("110", "総務課", "General Affairs", ("0102",))},
        staff={person.id: person for person in people},
        duties={one.id: one for one in duties},
    )
    return replace(whole, **over)


def planned(current: Register, *files: tuple[str, bytes | str], shelf: Shelf = SHELF) -> Plan:
    """The plan of importing these files."""
    sources = [SourceFile(name, text.encode() if isinstance(text, str) else text) for name, text in files]
    return plan(CITY, sources, current, shelf)


def codes(of: Plan) -> list[str]:
    """The codes of all faults, then of all orphans."""
    return [finding.code for finding in (*of.faults, *of.orphans)]
