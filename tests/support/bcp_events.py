"""A whole emergency as audit events: a synthetic city declares, works, is refused, runs into an outage, lifts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from broker.duties.book import DutyBook
from broker.duties.models import Priority
from common.audit import GENESIS, AuditEvent, ChainedEvent, Detail, Outcome, chain
from gateway.demo import synthetic
from gateway.notices.model import Ability, Answered, Reach, Reached
from gateway.reports.gather import Material
from policy.bcp.audit_names import BcpAudit
from policy.bcp.model import Declaration
from tests.support.bcp_notices import CITY, OFFICIALS, PLAN, START, lifted

POOL: Final = "office-desktop"


@dataclass
class Writer:
    """Chains events as the audit log of one node would."""

    node_id: str = "node-1"
    events: list[ChainedEvent] = field(default_factory=list)

    def write(
        self,
        at: datetime,
        name: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        session: str | None = None,
        outcome: Outcome = "ok",
        details: Mapping[str, Detail] | None = None,
        **more: Detail,
    ) -> None:
        event = AuditEvent(name, CITY, actor, subject, session, "203.0.113.7", outcome, {**(details or {}), **more})
        last = self.events[-1].hash if self.events else GENESIS
        self.events.append(chain(self.node_id, len(self.events) + 1, at, event, last))


@dataclass(frozen=True)
class Emergency:
    """The declaration after its end, what happened meanwhile, and the rest that a report needs."""

    declaration: Declaration
    events: tuple[ChainedEvent, ...]
    material: Material
    book: DutyBook


def emergency(people: int = 120, *, drill: bool = False) -> Emergency:
    """Twenty-six hours. One in three needs the declaration for their session; every fifth has to wait."""
    end = START + timedelta(hours=26)
    declaration = replace(lifted(end, note="道路の復旧を確認したため"), drill=drill)
    book = DutyBook(synthetic.generate(max(people, 60)).register)
    writer = Writer()
    _declare(writer, declaration)
    staff = [member.username for member in book.register.staff.values()][:people]
    for number, username in enumerate(staff):
        _work(writer, number, username, declaration, end)
    _trouble(writer, staff, declaration)
    writer.write(
        end, BcpAudit.LIFT_DECLARATION, actor="kiki", subject=declaration.id, note="道路の復旧を確認したため",
        policy_version="aaaa",
    )  # fmt: skip
    ordered = sorted(writer.events, key=lambda chained: (chained.at, chained.seq))
    return Emergency(declaration, tuple(ordered), _material(declaration, book, staff, end), book)


def _declare(writer: Writer, declaration: Declaration) -> None:
    facts: Mapping[str, Detail] = {"level": "first", "drill": declaration.drill, "policy_version": "aaaa"}
    first, second = declaration.signatures[:2]
    writer.write(first.at, BcpAudit.PROPOSE_DECLARATION, actor="soumu", subject=declaration.id, details=facts)
    refused_at = first.at + timedelta(minutes=1)
    writer.write(
        refused_at,
        BcpAudit.APPROVE_DECLARATION,
        actor="soumu",
        subject=declaration.id,
        outcome="denied",
        detail="The person who signed first cannot sign again. Another person must.",
        code="same_person",
    )
    writer.write(
        second.at, BcpAudit.APPROVE_DECLARATION, actor="kiki", subject=declaration.id, acting=True, details=facts
    )
    writer.write(second.at, "announce-notice", subject="ntc_1", declaration_id=declaration.id, kind="begun", people=120)
    for sent, failed in ((80, 3), (37, 0)):
        writer.write(
            second.at + timedelta(minutes=1),
            "send-notices",
            subject="ntc_1",
            declaration_id=declaration.id,
            sent=sent,
            not_sent=failed,
        )


def _work(writer: Writer, number: int, username: str, declaration: Declaration, end: datetime) -> None:
    begin = START + timedelta(minutes=2 * number)
    session = f"ses_{number:04}"
    widened = number % 3 == 0
    basis: dict[str, Detail] = {
        "pool_id": POOL,
        "rules": "BCP-quake-3-L1-W1" if widened else "N-01",
        "normal_allowed": not widened,
        "declarations": declaration.id if widened else None,
    }
    actor = f"usr_{username}"
    writer.write(begin, "request-session", actor=actor, subject=username, session=session, details=basis)
    if number % 5 == 0:
        writer.write(begin, "queue-session", actor=actor, subject=username, session=session, pool_id=POOL)
    waited = timedelta(seconds=30 + number) if number % 5 == 0 else timedelta(seconds=3)
    writer.write(begin + waited, "start-desktop", subject=username, session=session, pool_id=POOL)
    writer.write(begin + waited, "attach-viewer", actor=actor, subject=username, session=session, details=basis)
    stop = min(end + timedelta(minutes=10), begin + timedelta(hours=6 + number % 4))
    writer.write(
        stop,
        "end-session",
        subject=username,
        session=session,
        pool_id=POOL,
        reason="policy" if stop > end else "user_logged_out",
        worked_seconds=int((stop - begin - waited).total_seconds()),
    )


def _trouble(writer: Writer, staff: list[str], declaration: Declaration) -> None:
    at = START + timedelta(hours=3)
    for username in staff[:4]:
        writer.write(
            at,
            "deny-session",
            actor=f"usr_{username}",
            subject=username,
            outcome="denied",
            pool_id="my-number",
            code="zone_unreachable",
            rules="GR-MY-NUMBER",
            normal_allowed=False,
        )
    for username in staff[4:6]:
        writer.write(
            at, "refuse-session", actor=f"usr_{username}", subject=username, outcome="denied", pool_id=POOL,
            cause="pool_full",
        )  # fmt: skip
    writer.write(at, "lose-directory", outcome="failed")
    for username in staff[:9]:
        writer.write(at + timedelta(minutes=6), "degraded-login", actor=f"usr_{username}", subject="web_1")
    writer.write(at, "enrol-temporary-totp", actor=f"usr_{staff[0]}")
    writer.write(at, "load-policy", version="aaaa")
    writer.write(at, BcpAudit.LIFT_DECLARATION, actor="kiki", subject="another declaration")
    writer.write(START + timedelta(hours=2), BcpAudit.REMIND_DECLARATION, subject=declaration.id, remaining_hours=24.0)


def _material(declaration: Declaration, book: DutyBook, staff: list[str], end: datetime) -> Material:
    names = {f"usr_{m.username}": m.name for m in book.register.staff.values()}
    reached = tuple(
        Reached(
            username=username,
            name=names[f"usr_{username}"],
            sent=number % 10 != 9,
            failed=number % 10 == 9,
            read_at=START if number % 2 else None,
            answer=Answered(username, (Ability.CAN, Ability.PARTLY, Ability.CANNOT)[number % 3], "", START)
            if number % 4
            else None,
        )
        for number, username in enumerate(staff)
    )
    return Material(
        tenant_ja="架橋市",
        tenant_en="Kakehashi City",
        declaration=declaration,
        plan=PLAN,
        officials=OFFICIALS,
        book=book,
        reach=Reach(reached),
        names=names,
        scope_names={},
        pools={POOL: "庁内デスクトップ"},
        made_at=end + timedelta(hours=1),
        made_by="鈴木 一郎",
        window_from=START - timedelta(minutes=5),
        window_to=end + timedelta(hours=1),
    )


def usernames(book: DutyBook, priority: Priority) -> Iterator[str]:
    """Main people of all duties of a class or higher."""
    duties = [duty.id for duty in book.register.duties.values() if duty.priority <= priority]
    return (member.username for member in book.people_of(duties))
