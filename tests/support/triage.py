"""A register with people of every class and declarations that went through the real steps, bound to a broker."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from broker.duties.book import DutyBook
from broker.duties.models import Department, Priority, Register, ResumeWithin, Site
from common.ids import TenantId, UserId
from policy.bcp import declaration as steps
from policy.bcp.model import Level
from policy.bcp.overlay import ActiveDeclaration, Deadline, activated
from tests.support.bcp import OFFICIALS, approver, plan, plan_ref, proposal, signer
from tests.support.register import duty, member

CITY: Final = TenantId("city")
POOL: Final = "office-desktop"


def register(
    people: Mapping[str, Priority | None], *, version: int = 1, line_mbps: int = 1000, **over: Any
) -> Register:
    """People by login name with their class in the pool; None: no duty there. All sit at "hq" (10.1.0.0/16)."""
    staff = {name: member(f"{number:04}", name) for number, name in enumerate(sorted(people), start=1)}
    duties = {
        f"duty-{priority.lower()}": replace(
            duty(f"duty-{priority.lower()}"),
            priority=priority,
            resume_within=ResumeWithin.HOURS_3,
            pools=(POOL,),
            people=tuple(staff[name].id for name, held in people.items() if held is priority),
            substitutes=(),
        )
        for priority in Priority
    }
    whole: dict[str, Any] = {
        "version": version,
        "sites": {"hq": Site("hq", "本庁舎", "City hall", ("10.1.0.0/16",), 400, line_mbps)},
        "departments": {"110": Department("110", "総務課", "General Affairs", ())},
        "staff": {person.id: person for person in staff.values()},
        "duties": duties,
    }
    return Register(**(whole | over))


def declared(
    now: datetime, *, level: Level = Level.FIRST, capacity: tuple[dict[str, Any], ...] = (), **over: Any
) -> ActiveDeclaration:
    """A declaration in force; two persons signed it, or one a drill."""
    written = plan(capacity=list(capacity))
    made = steps.draft(
        proposal(level=level, **over),
        UserId("usr_chief"),
        declaration_id="bcp_1",
        tenant_id=CITY,
        plan=plan_ref(written),
        now=now,
    )
    made = steps.propose(made, signer("chief", now), OFFICIALS, now, others=())
    if not made.drill and level is not Level.ALERT:
        made = steps.approve(made, approver("deputy", made, now), OFFICIALS, now)
    found = activated(made, written, Deadline(made.ends_at, now, 0.0))
    assert found is not None
    return found


class Office:
    """What a broker's triage is bound to in a test: change `people` and `active` at will."""

    def __init__(self, people: Mapping[str, Priority | None], **over: Any) -> None:
        self._over = over
        self.active: tuple[ActiveDeclaration, ...] = ()
        self.set(people)

    def set(self, people: Mapping[str, Priority | None]) -> None:
        """Another register."""
        self.book = DutyBook(register(people, **self._over))
