"""The doctor's look at the versions of BCP plans: is everything there that the audit says was adopted?

Counterparts: `gateway/doctor.py`, which asks for it among the rest; `policy.bcp.adopted`, which misses a version that
the signed bundle file knows. Whoever puts an older bundle file back and deletes the newer rows escapes that; the audit,
a chain of its own, still tells of it.
"""

from common.audit_store import named
from common.db import Database, revision_gap
from common.ids import TenantId
from gateway.doctor_finding import Finding
from gateway.settings import Settings
from policy.bcp.audit_names import BcpAudit
from policy.bcp.plan_store import PlanStore
from policy.bcp.plan_versions import PlanState

_REMEDY = "run: kakehashi audit verify; compare with the last copy; two persons adopt the content again in the console"


async def bcp_plans(settings: Settings) -> list[Finding]:
    """The newest adopted version of each plan in the database beside the newest in the audit. A step that was recorded
    and then not taken, because somebody else was faster, shows, too."""
    database, tenant_id = Database(settings.database.url), TenantId(settings.tenant.id)
    try:
        if not await database.answers() or await revision_gap(settings.database.url):
            return []  # said already
        recorded: dict[str, int] = {}
        for chained in await named(database, tenant_id, BcpAudit.ADOPT_PLAN):
            event, version = chained.event, chained.event.details.get("version")
            if event.outcome == "ok" and event.subject and isinstance(version, int):
                recorded[event.subject] = max(version, recorded.get(event.subject, 0))
        kept: dict[str, int] = {}
        for row in await PlanStore(database).versions(tenant_id):
            if row.found is not None and row.found.state is PlanState.ADOPTED:
                kept[row.plan_id] = max(row.version, kept.get(row.plan_id, 0))
    finally:
        await database.close()
    gone = [(plan_id, newest) for plan_id, newest in sorted(recorded.items()) if kept.get(plan_id, 0) < newest]
    return [
        Finding(
            "bcp plans",
            ok=False,
            text=f"the audit says that version {newest} of {plan_id} was adopted; the newest here is "
            f"{kept.get(plan_id, 'none')}",
            remedy=_REMEDY,
        )
        for plan_id, newest in gone
    ] or [Finding("bcp plans", ok=True, text=f"{len(kept)} adopted in the console, as the audit says")]
