"""Authenticators and recovery codes of people: enrolled, checked once, replaced, reset.

Counterpart: `auth/totp.py` and `auth/recovery.py` know the codes, `auth/store/factors.py` keeps them, `auth/gate.py`
slows guessing. Secrets are sealed with the person's id as associated data, so a row copied to somebody else does not
open.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from auth.enrolment import enrolment
from auth.gate import Gate
from auth.models import EmergencyCard, Enrolment, LoginErrorCode
from auth.recovery import activation_hash, code_hash, new_codes, normalise, normalise_activation
from auth.rows import LoginRow, VouchRow
from auth.store.factors import FactorStore
from auth.store.vouches import VouchStore
from auth.throttle import Scope
from auth.totp import NEVER, CodeAccepted, CodeReused, CodeWrong, check, new_secret
from common.clock import Clock
from common.ids import TenantId, UserId
from common.secret import Keyring


@dataclass(frozen=True, slots=True)
class Checked:
    """`error` None: right, and used up. Else why not, with the wait where there is one."""

    error: LoginErrorCode | None = None
    retry_after_seconds: int | None = None
    codes: tuple[str, ...] | None = field(default=None, repr=False)
    """New recovery codes, after `confirm`."""
    temporary: bool = False
    """The code came from a temporary authenticator."""


class SecondFactors:
    """Of one tenant."""

    def __init__(
        self,
        store: FactorStore,
        vouches: VouchStore,
        gate: Gate,
        keyring: Keyring,
        clock: Clock,
        *,
        tenant_id: TenantId,
        issuer: str,
    ) -> None:
        self._store = store
        self._vouches = vouches
        self._gate = gate
        self._keyring = keyring
        self._clock = clock
        self._tenant = tenant_id
        self._issuer = issuer

    async def enrolled(self, user_id: UserId) -> bool:
        """Has this person a confirmed authenticator?"""
        return await self._store.totp(user_id) is not None

    async def check_totp(self, user_id: UserId, typed: str) -> Checked:
        """A code of the confirmed or else of a temporary authenticator; each is good once, on all nodes together."""
        if (wait := await self._gate.charge(Scope.TOTP, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        own = await self._check_own(user_id, typed)
        checked = await self._check_temporary(user_id, typed) if own.error is LoginErrorCode.CODE_WRONG else own
        if checked.error is None:
            await self._gate.clear(Scope.TOTP, user_id)
        return checked

    async def _check_own(self, user_id: UserId, typed: str) -> Checked:
        row = await self._store.totp(user_id)
        if row is None:
            return Checked(LoginErrorCode.CODE_WRONG)
        match check(self._open(row.sealed_secret, user_id), typed, self._clock.now(), row.last_counter):
            case CodeAccepted(counter):
                taken = await self._store.take_counter(user_id, counter)
                return Checked(None if taken else LoginErrorCode.CODE_REUSED)
            case CodeReused():
                return Checked(LoginErrorCode.CODE_REUSED)
            case CodeWrong():
                return Checked(LoginErrorCode.CODE_WRONG)

    async def _check_temporary(self, user_id: UserId, typed: str) -> Checked:
        row = await self.temporary(user_id)
        if row is None or row.sealed_secret is None or row.last_counter is None:
            return Checked(LoginErrorCode.CODE_WRONG)
        match check(self._open(row.sealed_secret, user_id), typed, self._clock.now(), row.last_counter):
            case CodeAccepted(counter):
                taken = await self._vouches.take_counter(row.id, counter)
                return Checked(None if taken else LoginErrorCode.CODE_REUSED, temporary=True)
            case CodeReused():
                return Checked(LoginErrorCode.CODE_REUSED)
            case CodeWrong():
                return Checked(LoginErrorCode.CODE_WRONG)

    async def temporary(self, user_id: UserId) -> VouchRow | None:
        """The temporary authenticator that works now."""
        row = await self._vouches.of_person(user_id, self._clock.now())
        return row if row is not None and row.enrolled_at is not None else None

    async def check_activation(self, user_id: UserId, typed: str, setup_time: timedelta) -> Checked:
        """The activation code of a confirmed vouch, good once; afterwards there is `setup_time` to set it up."""
        if (wait := await self._gate.charge(Scope.ACTIVATION, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        code, now = normalise_activation(typed), self._clock.now()
        if code is None or not await self._vouches.use_code(
            user_id, activation_hash(code, self._tenant, user_id), now, now + setup_time
        ):
            return Checked(LoginErrorCode.ACTIVATION_CODE_WRONG)
        await self._gate.clear(Scope.ACTIVATION, user_id)
        return Checked()

    async def confirm_temporary(self, user_id: UserId, sealed: str, typed: str, lifetime: timedelta) -> Checked:
        """A first code of the temporary authenticator begins its `lifetime`; the person's own one stays as it is."""
        if (wait := await self._gate.charge(Scope.TOTP, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        now = self._clock.now()
        result = check(self._open(sealed, user_id), typed, now, NEVER)
        if not isinstance(result, CodeAccepted):
            return Checked(LoginErrorCode.CODE_WRONG)
        if not await self._vouches.enrol(user_id, sealed, result.counter, now, now + lifetime):
            return Checked(LoginErrorCode.LOGIN_EXPIRED)
        await self._gate.clear(Scope.TOTP, user_id)
        return Checked(temporary=True)

    async def check_recovery(self, user_id: UserId, typed: str) -> Checked:
        """One of the printed codes; each is good once."""
        if (wait := await self._gate.charge(Scope.RECOVERY, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        code = normalise(typed)
        if code is None or not await self._store.use_code(
            user_id, code_hash(code, self._tenant, user_id), self._clock.now()
        ):
            return Checked(LoginErrorCode.RECOVERY_CODE_WRONG)
        await self._gate.clear(Scope.RECOVERY, user_id)
        return Checked()

    def begin(self, user_id: UserId, username: str) -> tuple[Enrolment, str]:
        """A new secret: what to show, and its sealed form for the login's row. Changes nothing yet."""
        secret = new_secret()
        return enrolment(secret, account=username, issuer=self._issuer), self._seal(secret, user_id)

    async def confirm(self, login: LoginRow, sealed: str, typed: str) -> Checked:
        """A first code of the new authenticator makes it the person's only one, with ten new recovery codes.

        LOGIN_EXPIRED when another login of this person was faster: nothing changed.
        """
        user_id = login.user_id
        if (wait := await self._gate.charge(Scope.TOTP, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        result = check(self._open(sealed, user_id), typed, self._clock.now(), NEVER)
        if not isinstance(result, CodeAccepted):
            return Checked(LoginErrorCode.CODE_WRONG)
        codes = new_codes()
        hashes = self._hashes(user_id, codes)
        if not await self._store.set_factors(login, sealed, result.counter, hashes, self._clock.now()):
            return Checked(LoginErrorCode.LOGIN_EXPIRED)
        await self._gate.clear(Scope.TOTP, user_id)
        return Checked(codes=codes)

    def new_codes(self) -> tuple[str, ...]:
        """Ten codes, worth nothing before `set_codes`."""
        return new_codes()

    async def set_codes(self, user_id: UserId, codes: tuple[str, ...], card_number: str | None = None) -> None:
        """Make these the person's codes, on a card or not; the old ones and their card are worth nothing any more."""
        await self._store.set_codes(user_id, self._hashes(user_id, codes), self._clock.now(), card_number)

    async def card(self, user_id: UserId) -> EmergencyCard | None:
        """The emergency card in force."""
        return await self._store.card(user_id)

    async def void_card(self, user_id: UserId) -> EmergencyCard | None:
        """The card's codes are worth nothing from now on; None when there is no card."""
        return await self._store.drop_card(user_id)

    async def codes_left(self, user_id: UserId) -> int:
        """Unused recovery codes."""
        return await self._store.codes_left(user_id)

    async def reset(self, user_id: UserId) -> None:
        """Remove everything, and the waits with it; the next login enrols anew."""
        await self._store.drop_factors(user_id)
        await self._gate.clear(Scope.TOTP, user_id)
        await self._gate.clear(Scope.RECOVERY, user_id)
        await self._gate.clear(Scope.ACTIVATION, user_id)

    def _hashes(self, user_id: UserId, codes: tuple[str, ...]) -> list[str]:
        return [code_hash(code.replace("-", ""), self._tenant, user_id) for code in codes]

    def _seal(self, secret: str, user_id: UserId) -> str:
        return self._keyring.seal(secret.encode(), purpose="totp", owner=f"{self._tenant}|{user_id}")

    def _open(self, sealed: str, user_id: UserId) -> str:
        return self._keyring.open(sealed, purpose="totp", owner=f"{self._tenant}|{user_id}").decode()
