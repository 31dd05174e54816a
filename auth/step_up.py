"""A fresh second factor inside a session, and what asks for one: new recovery codes, the emergency card.

Counterpart: `auth/second_factors.py` checks the code, `auth/web_sessions.py` gives the session its new cookie. New
codes and cards need the person's own authenticator and a directory that was there at login: nobody makes lasting
factors out of a temporary one.
"""

from dataclasses import replace

from auth.audit_names import AuthAudit
from auth.emergency_card import CardFacts, CardPrinter, new_card_number
from auth.messages import login_error
from auth.models import Client, EmergencyCard, LoginErrorCode, StepUp, WebSession
from auth.recorder import Recorder
from auth.second_factors import Checked, SecondFactors
from auth.settings import AuthSettings
from auth.throttle import Scope
from auth.web_sessions import WebSessions
from common.clock import Clock
from common.ids import UserId
from common.paper import find_fonts
from common.secret import Secret


class StepUps:
    """Of one tenant."""

    def __init__(
        self,
        settings: AuthSettings,
        *,
        tenant_name: str,
        factors: SecondFactors,
        sessions: WebSessions,
        printer: CardPrinter,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._tenant_name = tenant_name
        self._factors = factors
        self._sessions = sessions
        self._printer = printer
        self._recorder = recorder
        self._clock = clock

    async def prove(self, session_cookie: str, code: str, client: Client, *, own_factor: bool = False) -> StepUp:
        """New `totp_at`, new cookie. With `own_factor` a temporary authenticator or a degraded session do not do."""
        session = await self._sessions.by_cookie(session_cookie)
        if session is None:
            return StepUp(login_error(LoginErrorCode.LOGIN_EXPIRED))
        if own_factor and (error := _against(session)) is not None:
            return StepUp(login_error(error))
        user_id = session.identity.user_id
        checked = await self._factors.check_totp(user_id, code)
        if checked.error is None and checked.temporary and own_factor:
            checked = Checked(LoginErrorCode.NOT_WITH_TEMPORARY_FACTOR)
        if checked.error is not None:
            await self._record_refusal(user_id, checked, client)
            return StepUp(login_error(checked.error, retry_after_seconds=checked.retry_after_seconds))
        await self._recorder.record(
            AuthAudit.STEP_UP, actor=user_id, subject=session.id, client=client, temporary=checked.temporary
        )
        factor = await self._factors.temporary(user_id) if checked.temporary else None
        rotated = await self._sessions.rotate(
            session, session_cookie, temporary_until=factor.expires_at if factor else None
        )
        if rotated is None or (checked.temporary and factor is None):
            return StepUp(login_error(LoginErrorCode.LOGIN_EXPIRED))
        return StepUp(session_value=rotated[1], web_session=rotated[0])

    async def renew_codes(self, session_cookie: str, code: str, client: Client) -> StepUp:
        """Ten new recovery codes; the old ones, and a card that had them, are worth nothing from now on."""
        stepped = await self.prove(session_cookie, code, client, own_factor=True)
        if stepped.web_session is None:
            return stepped
        user_id = stepped.web_session.identity.user_id
        await self._recorder.record(AuthAudit.RENEW_RECOVERY_CODES, actor=user_id, client=client)
        codes = self._factors.new_codes()
        await self._factors.set_codes(user_id, codes)
        return replace(stepped, recovery_codes=codes)

    async def issue_card(
        self, session_cookie: str, code: str, url: str, client: Client
    ) -> tuple[StepUp, Secret[bytes] | None]:
        """A card with ten new recovery codes as PDF, this once. Raises ConfigError when nothing can be printed here;
        the codes from before are good until the card is there."""
        stepped = await self.prove(session_cookie, code, client, own_factor=True)
        if stepped.web_session is None:
            return stepped, None
        who = stepped.web_session.identity
        number, codes = new_card_number(), self._factors.new_codes()
        facts = CardFacts(
            number=number,
            issued_at=self._clock.now(),
            tenant_name=self._tenant_name,
            holder=who.display_name,
            department=who.department,
            url=url,
            codes=codes,
            contact_ja=self._settings.emergency_card.contact_ja,
            contact_en=self._settings.emergency_card.contact_en,
            enrols_anew=self._settings.second_factor.recovery_requires_enrolment,
        )
        fonts = find_fonts(self._settings.emergency_card.font_file, self._settings.emergency_card.bold_font_file)
        printed = await self._printer.pdf(fonts, facts)
        await self._recorder.record(AuthAudit.ISSUE_EMERGENCY_CARD, actor=who.user_id, client=client, number=number)
        await self._factors.set_codes(who.user_id, codes, number)
        return stepped, Secret(printed)

    async def card(self, user_id: UserId) -> EmergencyCard | None:
        """The card in force."""
        return await self._factors.card(user_id)

    async def void_card(self, user_id: UserId, *, actor: str, client: Client | None = None) -> bool:
        """The card and its codes are worth nothing from now on; false when there is none."""
        card = await self._factors.void_card(user_id)
        if card is None:
            return False
        await self._recorder.record(
            AuthAudit.REVOKE_EMERGENCY_CARD, actor=actor, subject=user_id, client=client, number=card.number
        )
        return True

    async def _record_refusal(self, user_id: UserId, checked: Checked, client: Client) -> None:
        if checked.error is LoginErrorCode.THROTTLED:
            wait = checked.retry_after_seconds or 0
            await self._recorder.record_throttled(user_id, client, Scope.TOTP, wait)
        else:
            await self._recorder.record(
                AuthAudit.REFUSE_TOTP, actor=user_id, client=client, outcome="denied", reason=checked.error
            )


def _against(session: WebSession) -> LoginErrorCode | None:
    if session.degraded:
        return LoginErrorCode.NOT_WHILE_DEGRADED
    return LoginErrorCode.NOT_WITH_TEMPORARY_FACTOR if session.temporary_factor else None
