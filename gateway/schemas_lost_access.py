"""Bodies of the routes that help people whose authenticator or directory is out of reach. Pure.

Counterpart: `gateway/handlers/lost_access.py`.
"""

from datetime import datetime

from pydantic import Field

from auth.models import IdentityCheck, VouchRefusal, VouchState
from gateway.schemas import Answer, Body, LoginErrorAnswer


class CheckBody(Body):
    """How the official made sure who the person is."""

    check: IdentityCheck


class VouchBody(CheckBody):
    """Whom to help."""

    username: str = Field(min_length=1, max_length=256)


class VouchAnswer(Answer):
    """Help under way for one person."""

    id: str
    state: VouchState
    user_id: str
    username: str
    display_name: str
    opened_by: str
    confirmed_by: str | None
    opened_at: datetime
    expires_at: datetime


class VouchesAnswer(Answer):
    """All help under way."""

    items: list[VouchAnswer]


class VouchRefusalAnswer(Answer):
    """Why an official's step was not taken."""

    code: VouchRefusal
    text_ja: str
    text_en: str


class VouchStepAnswer(Answer):
    """An official's step; the activation code comes once, after the second official's."""

    vouch: VouchAnswer | None
    activation_code: str | None = None
    error: VouchRefusalAnswer | None = None


class CardAnswer(Answer):
    """An emergency card in force."""

    number: str
    issued_at: datetime


class OwnCardAnswer(Answer):
    """The caller's card."""

    card: CardAnswer | None


class PrintedCardAnswer(Answer):
    """A new card as PDF in base64, once; or why there is none."""

    pdf: str | None
    card: CardAnswer | None
    error: LoginErrorAnswer | None = None
    csrf_token: str


class PurgeAnswer(Answer):
    """How many people can no longer sign in without the directory."""

    count: int
