"""Runs triage: lets held seats go on, makes room, lowers pictures, keeps classes true; says where somebody stands.

Counterparts: the pure rules beside this module; `broker/store/clearing.py` (decides and writes in one transaction),
`broker/launcher.py` (gives the seats), `broker/jobs.py` (calls `round`). What was decided is recorded on both sides: on
the session that leaves and on the one it leaves for.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from broker.agent_link import AgentLink
from broker.audit_names import BrokerAudit
from broker.chronicle import Chronicle
from broker.launcher import Launcher
from broker.lifecycle import Lifecycle
from broker.models import DesktopSession, EndReason
from broker.states import SessionState
from broker.store import AdmissionStore, ClearingStore, PoolStore, SessionStore
from broker.store.admission import Picture
from broker.store.clearing import Done
from broker.triage.clearing import StepKind
from broker.triage.estimate import estimate
from broker.triage.order import URGENT
from broker.triage.room import QueueReason, blocked, gate_applies, sites_loaded
from broker.triage.situation import Situation
from broker.triage.views import CALM, Leaving, LineLoad, Load, Notice, Place, PoolLoad, Standing
from common.clock import Clock
from common.errors import AuditUnavailable, TargetError
from common.ids import PoolId, SessionId, TenantId
from common.log import get_logger

_FRESH_SECONDS: Final = 1.0
_NAMES: Final[Mapping[StepKind, BrokerAudit]] = {
    StepKind.PARK: BrokerAudit.PREEMPT_SESSION,
    StepKind.END: BrokerAudit.PREEMPT_SESSION,
    StepKind.WARN: BrokerAudit.WARN_PREEMPTION,
    StepKind.HASTEN: BrokerAudit.WARN_PREEMPTION,
    StepKind.WITHDRAW: BrokerAudit.WITHDRAW_PREEMPTION,
}
_log = get_logger(__name__)


class Triage:
    """One for each gateway; every decision is taken in the database, so any number of them may run."""

    def __init__(
        self,
        *,
        situation: Situation,
        admission: AdmissionStore,
        clearing: ClearingStore,
        sessions: SessionStore,
        pools: PoolStore,
        lifecycle: Lifecycle,
        launcher: Launcher,
        chronicle: Chronicle,
        link: AgentLink | None,
        clock: Clock,
    ) -> None:
        self.situation = situation
        self._admission = admission
        self._clearing = clearing
        self._sessions = sessions
        self._pools = pools
        self._lifecycle = lifecycle
        self._launcher = launcher
        self._chronicle = chronicle
        self._link = link
        self._clock = clock
        self._stale = False
        self._seen: dict[tuple[TenantId, PoolId], tuple[float, Picture, int]] = {}

    # ---- the round -------------------------------------------------------------------------------------------

    def classes_changed(self) -> None:
        """The register or what is declared has changed: the next round looks at everybody's class."""
        self._stale = True

    async def round(self) -> None:
        """Everything that is due. Raises AuditUnavailable when a warning cannot be recorded: nobody is warned then."""
        await self.reclassify()
        await self._lapse_holds()
        pictures = []
        for tenant_id, pool_id in await self._clearing.pools():
            if self.situation.knows(tenant_id):
                pictures.append(await self._make_room(tenant_id, pool_id))
        await self._adjust_quality([picture for picture in pictures if picture is not None])
        await self._launcher.admit_all()

    async def reclassify(self) -> int:
        """Give everybody the class that the register has for them now; how many changed."""
        tenant_id = self.situation.tenant_id
        if not self._stale or tenant_id is None:
            return 0
        self._stale = False
        changed = 0
        try:
            for session in await self._sessions.live_in(tenant_id):
                priority = self.situation.priority(session.username, session.pool_id)
                if priority is session.priority or await self._sessions.set_priority(session, priority) is None:
                    continue
                changed += 1
                await self._chronicle.note(
                    BrokerAudit.CHANGE_CLASS, session, priority=priority, before=session.priority, reason="register"
                )
        except BaseException:
            self._stale = True  # the database was away: the next round goes on
            raise
        return changed

    async def _lapse_holds(self) -> None:
        for session in await self._sessions.lapsed_holds(self._clock.now()):
            if not self.situation.knows(session.tenant_id):
                continue
            if session.viewer:
                # Work is open on it: back to where it was, and the seat to the next.
                keep = timedelta(minutes=self.situation.settings.parked_minutes)
                moved = await self._lifecycle.park(session, keep)
            else:
                moved = await self._lifecycle.end(session, EndReason.HOLD_LAPSED)
            if moved is not None:
                await self._chronicle.note(BrokerAudit.LAPSE_HOLD, moved, priority=moved.priority)

    async def _make_room(self, tenant_id: TenantId, pool_id: PoolId) -> Picture | None:
        # First to those for whom there is room already: nobody leaves for them.
        await self._launcher.admit(tenant_id, pool_id)
        room = await self._host_room() if self.situation.widening() else None
        picture, steps = await self._clearing.clear(tenant_id, pool_id, self._clock.now(), host_room=room)
        unrecorded: AuditUnavailable | None = None
        for done in steps:
            try:
                await self._follow(done)
            except AuditUnavailable as error:
                unrecorded = error  # the other steps are written down and must be followed all the same
        if unrecorded is not None:
            raise unrecorded
        return picture

    async def _host_room(self) -> int | None:
        """A parked desktop and the new one in its seat both run: somebody may only be asked if the host takes both."""
        if self._link is None:
            return None
        try:
            stats = await self._link.stats()
        except TargetError as error:
            _log.warning("session host not asked for room", code=error.code, detail=error.detail)
            return 0
        return max(0, stats.max_desktops - stats.desktops)

    async def _follow(self, done: Done) -> None:
        """What a step that was written down means for viewers, and its record."""
        step, before, after = done.step, done.before, done.after
        if step.kind is StepKind.PARK:
            await self._lifecycle.left(after)
        elif step.kind is StepKind.END:
            await self._lifecycle.decided(after, before.state)
        details = {
            "priority": before.priority,
            "reason": "urgent work" if step.claim else "no longer needed",
            "for_session": step.claim.session_id if step.claim else None,
            "for_priority": step.claim.priority if step.claim else None,
            "leaves_at": step.at.isoformat() if step.at else None,
            "step": step.kind,
            "warned": before.leaves_at is not None,
        }
        try:
            await self._chronicle.record(_NAMES[step.kind], after, basis=details)
        except AuditUnavailable:
            if step.kind is StepKind.WARN:
                await self._clearing.withdraw(after)
                raise
            _log.exception("audit event lost", event_name=_NAMES[step.kind], session_id=after.id, details=str(details))
        if step.claim is not None and step.kind is not StepKind.HASTEN:
            claimant = await self._sessions.get(after.tenant_id, step.claim.session_id)
            if claimant is not None:
                await self._chronicle.note(
                    BrokerAudit.CLAIM_SEAT,
                    claimant,
                    priority=step.claim.priority,
                    from_session=after.id,
                    from_priority=before.priority,
                    step=step.kind,
                )

    async def _adjust_quality(self, pictures: list[Picture]) -> None:
        """Lower the pictures of P2 to P4 where P0 or P1 wait for a seat or a line; give them back when nobody waits."""
        full_pools = {picture.pool.id for picture in pictures if picture.claims}
        waited_for = {picture.pool.id for picture in pictures if picture.queue}
        full_sites = {
            site
            for picture in pictures
            for one in picture.queue
            for site in one.sites & picture.room.full_lines
            if one.claims and blocked(one, picture.room) is QueueReason.SITE_LINE
        }
        for tenant_id in {picture.pool.tenant_id for picture in pictures}:
            if not (full_pools or full_sites or await self._sessions.any_lowered(tenant_id)):
                continue
            stands = {pool.id: pool.site for pool in await self._pools.all_of(tenant_id)}
            for session in await self._sessions.live_in(tenant_id):
                sites = sites_loaded(session.source_site, stands.get(session.pool_id))
                pressed = session.pool_id in full_pools or bool(sites & full_sites)
                if not session.lowered and pressed and _may_lower(session):
                    await self._lower(session, lowered=True)
                elif session.lowered and not pressed and session.pool_id not in waited_for:
                    await self._lower(session, lowered=False)

    async def _lower(self, session: DesktopSession, *, lowered: bool) -> None:
        changed = await self._sessions.set_lowered(session, lowered=lowered)
        if changed is not None:
            name = BrokerAudit.LOWER_QUALITY if lowered else BrokerAudit.RESTORE_QUALITY
            await self._chronicle.note(name, changed, priority=changed.priority)

    # ---- views -----------------------------------------------------------------------------------------------

    async def standing(self, session: DesktopSession) -> Standing:
        """What the owner of a session should know now."""
        match session.state:
            case SessionState.QUEUED:
                return Standing(place=await self._place(session))
            case SessionState.READY:
                return Standing(held_until=session.hold_until)
            case SessionState.ACTIVE | SessionState.DISCONNECTED if session.leaves_at is not None:
                pool = await self._pools.get(session.tenant_id, session.pool_id)
                contact = None if pool is None else self.situation.contact(pool)
                return Standing(warning=Notice(session.leaves_at, contact))
            case _:
                return CALM

    async def _place(self, session: DesktopSession) -> Place | None:
        seen = await self._look(session.tenant_id, session.pool_id, session.id)
        if seen is None:
            return None
        picture, freed = seen
        order = [one.session_id for one in picture.queue]
        if session.id not in order:
            return None  # its earlier desktop is still being stopped
        ahead = order.index(session.id)
        one = picture.queue[ahead]
        reason = blocked(one, picture.room)
        claims = sorted(picture.claims, key=lambda claim: (claim.priority, claim.since, claim.session_id))
        rank = claims.index(one) if one in claims else None
        seconds = estimate(
            reason,
            ahead if rank is None else rank,
            now=self._clock.now(),
            free=picture.room.free,
            leaving_at=() if rank is None else picture.leaving,
            freed_last_hour=freed,
            starts_per_minute=self.situation.settings.gate_starts_per_minute,
        )
        return Place(ahead, seconds, reason or QueueReason.SEAT, session.priority)

    async def _look(self, tenant_id: TenantId, pool_id: PoolId, wanted: SessionId) -> tuple[Picture, int] | None:
        """A pool as it was within the last second: everybody who waits asks every two."""
        now = self._clock.monotonic()
        seen = self._seen.get((tenant_id, pool_id))
        if seen is not None and now - seen[0] < _FRESH_SECONDS and any(s.session_id == wanted for s in seen[1].queue):
            return seen[1], seen[2]
        picture = await self._admission.picture(tenant_id, pool_id, self._clock.now())
        if picture is None:
            return None
        freed = await self._admission.freed_last_hour(tenant_id, pool_id, self._clock.now())
        self._seen[tenant_id, pool_id] = now, picture, freed
        return picture, freed

    async def lines(self, tenant_id: TenantId) -> dict[str, float]:
        """What is planned on each site's line now, in Mbps."""
        return await self._admission.lines(tenant_id)

    async def load(self, tenant_id: TenantId) -> Load:
        """Seats, queues, lines and the gate of a tenant: for coordinators."""
        now, pools = self._clock.now(), []
        lines: dict[str, float] = {}
        for pool in await self._pools.all_of(tenant_id):
            picture = await self._admission.picture(tenant_id, pool.id, now)
            if not pool.enabled or picture is None:
                continue
            lines = picture.lines
            reasons = Counter(blocked(one, picture.room) for one in picture.queue)
            sessions = await self._sessions.of_pool(tenant_id, pool.id) if picture.leaving else ()
            pools.append(
                PoolLoad(
                    pool=pool,
                    seats=picture.room.total,
                    used=picture.room.used,
                    reserve=picture.room.reserve,
                    waiting=Counter(one.priority for one in picture.queue),
                    reasons={reason: reasons[reason] for reason in QueueReason if reasons[reason]},
                    longest_wait_seconds=int(
                        max([(now - one.asked).total_seconds() for one in picture.queue], default=0.0)
                    ),
                    parked=picture.parked,
                    parking=self.situation.parking(pool),
                    leaving=tuple(Leaving(one, one.leaves_at) for one in sessions if one.leaves_at is not None),
                    declared=bool(self.situation.declared_at(pool)),
                )
            )
        settings = self.situation.settings
        return Load(
            pools=tuple(pools),
            lines=tuple(
                LineLoad(site, round(lines.get(site, 0.0), 2), budget)
                for site, budget in sorted(self.situation.lines().items())
            ),
            gate_applies=gate_applies(now, settings.gate_from, settings.gate_until),
        )


def _may_lower(session: DesktopSession) -> bool:
    return session.state is SessionState.ACTIVE and session.priority not in URGENT
