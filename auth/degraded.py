"""Login while no directory server can be reached (縮退認証): who may, with which password, and when it ends.

Counterpart: `auth/login.py` asks here only after the directory was unreachable; `auth/outage.py` proves that it is
silent, now and for how long; `auth/slow_hash.py` checks the password. Only a password that the directory itself
accepted in the last 72 hours counts, only for members of the roster groups, and never once any server has answered
anything. The second factor is not decided here: the flow asks for a code of an existing authenticator.

INVARIANT: the same work and the same answer for everybody who does not get in, whether they have a verifier or not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from auth.audit_names import AuthAudit
from auth.directory import DirectoryResult, NotFound, Unreachable, Verified, WrongPassword
from auth.gate import Gate
from auth.models import Client, Identity, LoginErrorCode
from auth.names import account_of, source_of
from auth.outage import OutageWatch
from auth.recorder import Recorder
from auth.rows import Holder
from auth.settings import DegradedSettings
from auth.slow_hash import SlowHash, TooManyWaiting
from auth.store.people import PeopleStore
from auth.store.verifiers import VerifierStore
from auth.throttle import Scope
from auth.turns import TRY_AGAIN_SECONDS, Turns
from common.clock import Clock
from common.errors import KakehashiError, SecretUnreadable
from common.ids import TenantId, UserId
from common.log import get_logger
from common.secret import Keyring, Secret
from common.tasks import TaskScope

LONGEST_VALID: Final = timedelta(hours=72)
_CLOCK_SKEW: Final = timedelta(minutes=1)
"""Between nodes. A verifier from further in the future means that a clock was set back: it counts no more."""
_PURPOSE: Final = "degraded"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotOpen:
    """Degraded login is not for now: off, some server answers, or the outage is too young."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Not this name with this password; the reason is in the audit."""

    code: LoginErrorCode
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """The cached verifier accepted the password; the second factor is still to come."""

    identity: Identity


class Degraded:
    """Of one tenant. `emergency` says whether a declaration of level 警戒 or above is in force; `rehearsing` names the
    drill, if any, in which the directory is away for this person."""

    def __init__(
        self,
        settings: DegradedSettings,
        *,
        tenant_id: TenantId,
        watch: OutageWatch,
        verifiers: VerifierStore,
        people: PeopleStore,
        slow_hash: SlowHash,
        gate: Gate,
        keyring: Keyring,
        recorder: Recorder,
        clock: Clock,
        emergency: Callable[[], bool],
        rehearsing: Callable[[Identity], str | None],
        turns: Turns,
    ) -> None:
        self._roster = frozenset(settings.groups)
        self._after_seconds = settings.after_minutes * 60
        self._valid = min(timedelta(hours=settings.valid_hours), LONGEST_VALID)
        self._tenant = tenant_id
        self._watch = watch
        self._verifiers = verifiers
        self._people = people
        self._hash = slow_hash
        self._gate = gate
        self._keyring = keyring
        self._recorder = recorder
        self._clock = clock
        self._emergency = emergency
        self._rehearsing = rehearsing
        self._turns = turns
        self._tasks = TaskScope()

    # -- while the directory answers

    async def remember(self, user_id: UserId, groups: frozenset[str], password: Secret[str]) -> None:
        """The directory accepted this password just now. Members of the roster get a new verifier, others none."""
        if self._roster.isdisjoint(groups):
            await self.forget(user_id, "not_in_roster")
            return
        accepted_at = self._clock.now()
        try:
            verifier = await self._hash.make(password)
        except TooManyWaiting:  # the login goes on; what was cached before may be of another password
            _log.warning("too many passwords to hash at once: nothing cached", user_id=user_id)
            await self.forget(user_id, "not_renewed")
            return
        sealed = self._keyring.seal(verifier.encode(), purpose=_PURPOSE, owner=self._owner(user_id))
        await self._verifiers.put(user_id, sealed, accepted_at)

    async def rehearse(self, identity: Identity, password: Secret[str], client: Client) -> None:
        """The directory accepted this password, and a drill may pretend that it is away: note whether the verifier of
        before would have. Asked before `remember`; nobody's login gets easier or harder by it."""
        drill = self._rehearsing(identity)
        if drill is None:
            return
        holder = await self._verifiers.holder(identity.username)
        try:
            matches = holder is not None and await self._hash.matches(self._verifier(holder), password)
            why = self._why_not(holder) if matches or holder is None else "wrong_password"
        except TooManyWaiting:
            why = "too_many_waiting"
        await self._recorder.record(
            AuthAudit.REHEARSE_DEGRADED_LOGIN,
            actor=identity.user_id,
            subject=identity.username,
            client=client,
            outcome="ok" if why is None else "denied",
            declaration_id=drill,
            drill=True,
            cause=why,
        )

    def refused(self, result: DirectoryResult, password: Secret[str], address: str) -> None:
        """The directory answered, and not with yes: what is cached may be wrong. In the background, so that it takes
        nobody longer who has something cached."""
        if self._roster and not isinstance(result, Verified):
            self._tasks.spawn(self._doubt(result, password, address), name="doubt a cached verifier")

    async def forget(self, user_id: UserId, reason: str, *, actor: str | None = None) -> None:
        """Remove a person's verifier; recorded when there was one."""
        if await self._verifiers.drop(user_id):
            await self._recorder.record(AuthAudit.PURGE_VERIFIER, actor=actor, subject=user_id, reason=reason)

    async def reread(self, user_id: UserId, groups: frozenset[str]) -> None:
        """The directory described this person again: whoever left the roster loses the verifier."""
        if self._roster.isdisjoint(groups):
            await self.forget(user_id, "not_in_roster")

    async def purge_all(self, *, actor: str, source: str | None = None) -> int:
        """For 復旧: remove everybody's verifier; how many there were."""
        count = await self._verifiers.drop_all()
        client = Client(source) if source else None
        await self._recorder.record(AuthAudit.PURGE_ALL_VERIFIERS, actor=actor, client=client, count=count)
        return count

    async def sweep(self) -> None:
        """Remove what is too old."""
        await self._verifiers.drop_verified_before(self._clock.now() - self._valid)

    async def close(self) -> None:
        """End background work."""
        await self._tasks.close()
        self._hash.close()

    # -- while it does not

    async def admit(
        self, typed: str, name: str | None, password: Secret[str], client: Client
    ) -> Admitted | Declined | NotOpen:
        """Check name and password without the directory, after the try was charged for this address.

        `typed` is what counts as one name for throttling, `name` the user name or None for what can be nobody's.
        """
        if not await self._open():
            return NotOpen()
        holder = await self._verifiers.holder(name) if name is not None else None
        account = account_of(holder.directory_key) if holder else f"name:{typed}"
        if (wait := await self._gate.address_wait(account, client.address)) is not None:
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            await self._recorder.record_throttled(client.address, client, Scope.ADDRESS, wait)
            return Declined(LoginErrorCode.THROTTLED, wait)
        if (wait := await self._gate.charge_password(account, client.address)) is not None:
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            subject = holder.identity.username if holder else self._recorder.fingerprint(typed)
            await self._recorder.record_throttled(subject, client, Scope.ACCOUNT, wait)
            return Declined(LoginErrorCode.THROTTLED, wait)
        try:
            async with self._turns.taken(source_of(client.address)) as has_turn:
                matches = has_turn and await self._hash.matches(self._verifier(holder), password)
        except TooManyWaiting:
            await self._gate.forgive_password(account, client.address)
            return NotOpen()
        if not has_turn:
            await self._gate.forgive(Scope.PAIR, typed, client.address)
            await self._gate.forgive_password(account, client.address)
            await self._recorder.record_throttled(client.address, client, "turns", TRY_AGAIN_SECONDS)
            return Declined(LoginErrorCode.THROTTLED, TRY_AGAIN_SECONDS)
        if not self._watch.still_quiet():  # somebody is back: it is for the directory to say
            await self._gate.forgive_password(account, client.address)
            return NotOpen()
        why = "wrong_password" if not matches else self._why_not(holder)
        if holder is None or why is not None:
            await self._gate.count_wrong(client.address)
            await self._refuse(holder, why or "no_verifier", typed, client)
            return Declined(LoginErrorCode.DEGRADED_LOGIN_FAILED)
        await self._gate.clear(Scope.PAIR, typed, client.address)
        await self._gate.clear_password(account)
        return Admitted(holder.identity)

    async def _open(self) -> bool:
        """Asks every directory server; false in a moment when the feature is off."""
        if not self._roster:
            return False
        lasted = await self._watch.look()
        return lasted is not None and (lasted >= self._after_seconds or self._emergency())

    def _why_not(self, holder: Holder | None) -> str | None:
        """For the audit: what stands against somebody whose password is right."""
        if holder is None:
            return "no_verifier"
        age = self._clock.now() - holder.verified_at
        if not -_CLOCK_SKEW <= age < self._valid:
            return "verifier_too_old"
        if self._roster.isdisjoint(holder.identity.groups):
            return "not_in_roster"
        return None if holder.enrolled else "no_authenticator"

    async def _refuse(self, holder: Holder | None, why: str, typed: str, client: Client) -> None:
        subject = holder.identity.username if holder else self._recorder.fingerprint(typed)
        await self._recorder.record(
            AuthAudit.REFUSE_PASSWORD,
            subject=subject,
            client=client,
            outcome="denied",
            result="Degraded",
            cause=why if holder else "no_verifier",
        )

    def _verifier(self, holder: Holder | None) -> str | None:
        if holder is None:
            return None
        return self._opened(holder.sealed_verifier, holder.identity.user_id)

    def _opened(self, sealed: str, user_id: UserId) -> str | None:
        try:
            return self._keyring.open(sealed, purpose=_PURPOSE, owner=self._owner(user_id)).decode()
        except SecretUnreadable as error:
            _log.error("a cached verifier does not open", user_id=user_id, detail=error.detail)
            return None

    async def _doubt(self, result: DirectoryResult, password: Secret[str], address: str) -> None:
        """A wrong password purges the verifier of an owner who types from a usual address. From elsewhere it does so
        only when it is the cached one, which the directory no longer takes: else a stranger who tries one password for
        every name in the last good hour would shut the whole roster out of the emergency."""
        if isinstance(result, NotFound | Unreachable):
            return
        entry = result.entry
        person = await self._people.person_with_key(entry.key)
        if person is None:
            return
        user_id = person.identity.user_id
        if isinstance(result, WrongPassword) and not await self._gate.knows(account_of(entry.key), address):
            sealed = await self._verifiers.sealed(user_id)
            try:
                if sealed is None or not await self._hash.matches(self._opened(sealed, user_id), password):
                    return
            except TooManyWaiting:
                return
        try:
            await self.forget(user_id, type(result).__name__)
        except KakehashiError as error:
            _log.error("purge of a verifier not recorded", user_id=user_id, code=error.code)

    def _owner(self, user_id: UserId) -> str:
        return f"{self._tenant}|{user_id}"
