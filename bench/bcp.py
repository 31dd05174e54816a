"""Speed of BCP mode: `python -m bench.bcp`. Decisions without and with a declaration, what-if over a whole city.

Counterparts: `policy.bcp.overlay`, `policy.bcp.what_if`. 2,000 people of the synthetic city with their duties, its
policy and its plan for an earthquake, 20 pools. Figures are processor time of this thread, the best of several rounds
with the median beside it.
"""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from bench.policy_bench import CITY, NIGHT, STAFF, TOWN, Row, asked, pools, show
from common.ids import UserId
from gateway.demo.run import POLICY
from policy.bcp import declaration as steps
from policy.bcp import proof
from policy.bcp.canonical import digest
from policy.bcp.model import WHOLE_TENANT, Cause, Level, Official, Proposal, Signer
from policy.bcp.overlay import EMPTY, Deadline, Snapshot, activated
from policy.bcp.plan import Plan
from policy.bcp.service import widened
from policy.bcp.what_if import difference, population_of
from policy.checks import load
from policy.engine import Engine
from policy.model import Request
from policy.schema import PolicyDocument

ROUNDS: Final = 7
_PROPOSAL: Final = Proposal(WHOLE_TENANT, Level.SECOND, "quake", Cause.EARTHQUAKE, "bench")


def loaded() -> tuple[PolicyDocument, Plan]:
    """The demo's policy and the city's first plan."""
    today = date(2026, 6, 3)
    document, _ = load(POLICY.read_bytes(), today=today)
    plans, _ = proof.load(TOWN.plans, document, today=today)
    return document, plans[0]


def declared(plan: Plan) -> Snapshot:
    """The second level, declared by two persons at night."""
    mayor = Official("mayor", 1, "市長", "Mayor")
    first = Signer(UserId("usr_1"), "chief", "Chief", totp_at=NIGHT)
    made = steps.draft(
        _PROPOSAL,
        first.user_id,
        declaration_id="bcp_1",
        tenant_id=CITY,
        plan=steps.PlanRef(plan.id, plan.version, plan.digest),
        now=NIGHT,
    )
    made = steps.propose(made, first, (mayor,), NIGHT, others=())
    second = Signer(UserId("usr_2"), "mayor", "Mayor", totp_at=NIGHT, seen_digest=digest(made))
    made = steps.approve(made, second, (mayor,), NIGHT)
    found = activated(made, plan, Deadline(made.ends_at, NIGHT, 0.0))
    if found is None:
        raise RuntimeError("the declaration is not believed")
    return Snapshot([found])


def timed(name: str, call: Callable[[Request], object], requests: list[Request], goal: float | None = None) -> Row:
    """Microseconds a call, the loop's own cost taken off."""
    figures = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for request in requests:
            call(request)
        middle = time.thread_time_ns()
        for _request in requests:
            pass
        figures.append(((middle - began) - (time.thread_time_ns() - middle)) / len(requests) / 1000)
    return Row(name, min(figures), statistics.median(figures), "us", goal)


def what_if(document: PolicyDocument, plan: Plan, *, alike: bool) -> Row:
    """2,000 people, 20 pools, signed in the night before a weekend; `alike` as in a city, otherwise the rules tell
    everybody from everybody else."""
    if not alike:
        rule = document.rules[0]
        each = [
            rule.model_copy(
                update={
                    "id": f"N-{bit + 100}",
                    "when": rule.when.model_copy(
                        update={
                            "groups": None,
                            "users": tuple(p.username for i, p in enumerate(STAFF) if i >> bit & 1),
                        }
                    ),
                }
            )
            for bit in range(len(STAFF).bit_length())
        ]
        document = document.model_copy(update={"rules": (*document.rules, *each)})
    population = population_of(STAFF, pools(20))
    figures = []
    for _ in range(3):
        began = time.thread_time()
        result = difference(document, plan, _PROPOSAL, population, CITY, NIGHT, threading.Event())
        figures.append(time.thread_time() - began)
    kind = "as in a city" if alike else "nobody like another"
    name = f"what-if 2,000 x 20 x {len(result.tried)} situations, {kind} ({len(result.gainers)} gain)"
    return Row(name, min(figures), statistics.median(figures), "s", 1 if alike else None)


def run() -> list[Row]:
    """All figures."""
    document, plan = loaded()
    base, snapshot = Engine(document), declared(plan)
    wide = widened(document, snapshot)
    requests = asked(NIGHT, STAFF, pools(1)[0])

    def overlay(request: Request, source: Snapshot = snapshot) -> Request:
        found = source.overlays_for(request.subject, request.resource, request.context.now, 1.0)
        return replace(request, context=replace(request.context, overlays=found))

    given = [overlay(request) for request in requests]
    if not sum(wide.decide(r).allowed for r in given) > sum(base.decide(r).allowed for r in requests):
        raise RuntimeError("the city's plan no longer widens what this measures")
    figures = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        widened(document, snapshot)
        figures.append((time.thread_time() - began) * 1000)
    return [
        timed(
            "overlays_for, nothing declared",
            lambda r: EMPTY.overlays_for(r.subject, r.resource, r.context.now, 1.0),
            requests,
            2,
        ),
        timed(
            "overlays_for, one declaration",
            lambda r: snapshot.overlays_for(r.subject, r.resource, r.context.now, 1.0),
            requests,
        ),
        timed("decide, normal policy", base.decide, requests, 3),
        timed("decide, with the declared plan", wide.decide, given),
        timed("overlay, request made anew and decision", lambda r: wide.decide(overlay(r)), requests),
        Row("engine with the declared rules", min(figures), statistics.median(figures), "ms"),
        what_if(document, plan, alike=True),
        what_if(document, plan, alike=False),
    ]


def main() -> int:
    """Print the table."""
    show("bcp: policy of the demo, people and plan of its city", run(), width=72)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
