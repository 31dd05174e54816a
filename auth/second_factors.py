"""Authenticators and recovery codes of people: enrolled, checked once, replaced, reset.

Counterpart: `auth/totp.py` and `auth/recovery.py` know the codes, `auth/store/factors.py` keeps them, `auth/gate.py`
slows guessing. Secrets are sealed with the person's id as associated data, so a row copied to somebody else does not
open.
"""

from dataclasses import dataclass, field

from auth.enrolment import enrolment
from auth.gate import Gate
from auth.models import Enrolment, LoginErrorCode
from auth.recovery import code_hash, new_codes, normalise
from auth.store.factors import FactorStore
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


class SecondFactors:
    """Of one tenant."""

    def __init__(
        self, store: FactorStore, gate: Gate, keyring: Keyring, clock: Clock, *, tenant_id: TenantId, issuer: str
    ) -> None:
        self._store = store
        self._gate = gate
        self._keyring = keyring
        self._clock = clock
        self._tenant = tenant_id
        self._issuer = issuer

    async def enrolled(self, user_id: UserId) -> bool:
        """Has this person a confirmed authenticator?"""
        return await self._store.totp(user_id) is not None

    async def check_totp(self, user_id: UserId, typed: str) -> Checked:
        """A code of the confirmed authenticator; each is good once, on all nodes together."""
        if (wait := await self._gate.charge(Scope.TOTP, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        row = await self._store.totp(user_id)
        if row is None:
            return Checked(LoginErrorCode.CODE_WRONG)
        match check(self._open(row.sealed_secret, user_id), typed, self._clock.now(), row.last_counter):
            case CodeAccepted(counter):
                if not await self._store.take_counter(user_id, counter):
                    return Checked(LoginErrorCode.CODE_REUSED)
                await self._gate.clear(Scope.TOTP, user_id)
                return Checked()
            case CodeReused():
                return Checked(LoginErrorCode.CODE_REUSED)
            case CodeWrong():
                return Checked(LoginErrorCode.CODE_WRONG)

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

    async def confirm(self, user_id: UserId, sealed: str, typed: str) -> Checked:
        """A first code of the new authenticator makes it the person's only one, with ten new recovery codes."""
        if (wait := await self._gate.charge(Scope.TOTP, user_id)) is not None:
            return Checked(LoginErrorCode.THROTTLED, wait)
        result = check(self._open(sealed, user_id), typed, self._clock.now(), NEVER)
        if not isinstance(result, CodeAccepted):
            return Checked(LoginErrorCode.CODE_WRONG)
        codes = new_codes()
        await self._store.set_factors(user_id, sealed, result.counter, self._hashes(user_id, codes), self._clock.now())
        await self._gate.clear(Scope.TOTP, user_id)
        return Checked(codes=codes)

    async def renew_codes(self, user_id: UserId) -> tuple[str, ...]:
        """Ten new codes; the old ones are worth nothing from now on."""
        codes = new_codes()
        await self._store.set_codes(user_id, self._hashes(user_id, codes), self._clock.now())
        return codes

    async def codes_left(self, user_id: UserId) -> int:
        """Unused recovery codes."""
        return await self._store.codes_left(user_id)

    async def reset(self, user_id: UserId) -> None:
        """Remove everything, and the waits with it; the next login enrols anew."""
        await self._store.drop_factors(user_id)
        await self._gate.clear(Scope.TOTP, user_id)
        await self._gate.clear(Scope.RECOVERY, user_id)

    def _hashes(self, user_id: UserId, codes: tuple[str, ...]) -> list[str]:
        return [code_hash(code.replace("-", ""), self._tenant, user_id) for code in codes]

    def _seal(self, secret: str, user_id: UserId) -> str:
        return self._keyring.seal(secret.encode(), purpose="totp", owner=f"{self._tenant}|{user_id}")

    def _open(self, sealed: str, user_id: UserId) -> str:
        return self._keyring.open(sealed, purpose="totp", owner=f"{self._tenant}|{user_id}").decode()
