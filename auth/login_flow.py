"""One login as a pure state machine: which step is next, and when is the person in.

Counterpart: `auth/service.py` checks the factors (directory, TOTP, recovery codes) and feeds the results in here; it
never decides by itself that somebody is in. A flow belongs to one identity from its first factor on: a result for
anybody else throws everything away (bug class `login_state_confusion`), and a new password always starts from nothing.

Order: password, then the second factor where one is enrolled, then a due password change, then enrolment, then the
recovery codes. A password change comes after the second factor, so that a stolen expired password changes nothing.

A degraded login (no directory) knows two steps only: the password, then the code of an authenticator that exists. An
activation code, vouched for by two officials, stands for a second factor only until it has become an authenticator.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from common.ids import UserId


class Factor(StrEnum):
    """What a person has proven."""

    PASSWORD = "password"  # noqa: S105 - the name of a factor
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    ACTIVATION_CODE = "activation_code"


_SECOND: Final = frozenset({Factor.TOTP, Factor.RECOVERY_CODE, Factor.ACTIVATION_CODE})


class Need(StrEnum):
    """The next thing to ask for."""

    PASSWORD = "password"  # noqa: S105 - the name of a need
    SECOND_FACTOR = "second_factor"
    """TOTP, a recovery code or an activation code; TOTP alone when degraded."""
    NEW_PASSWORD = "new_password"  # noqa: S105 - the name of a need
    ENROLMENT = "enrolment"
    CODES_SEEN = "codes_seen"
    """The person confirms to have kept the recovery codes."""


class Refusal(StrEnum):
    """Why a result moved nothing."""

    OUT_OF_ORDER = "out_of_order"
    OTHER_IDENTITY = "other_identity"
    NOT_WHILE_DEGRADED = "not_while_degraded"


@dataclass(frozen=True, slots=True)
class Flow:
    """Where one login stands. Only `advance` makes new ones; `START` is the only other value to begin from."""

    user_id: UserId | None = None
    factors: frozenset[Factor] = frozenset()
    enrolled: bool = False
    """The person had a confirmed authenticator when the login began, or has confirmed one in it."""
    must_change_password: bool = False
    must_enrol: bool = False
    codes_to_show: bool = False
    degraded: bool = False
    """The directory was out of reach."""
    temporary: bool = False
    """The second factor is, or becomes, a temporary authenticator."""


START = Flow()


@dataclass(frozen=True, slots=True)
class PasswordProven:
    """The directory accepted the password (or would have, were it not due for a change)."""

    user_id: UserId
    enrolled: bool
    must_change: bool = False
    degraded: bool = False
    """Not the directory but a cached verifier accepted it."""


@dataclass(frozen=True, slots=True)
class SecondFactorProven:
    """A fresh TOTP code, an unused recovery code or an activation code was accepted."""

    user_id: UserId
    factor: Factor
    must_enrol: bool = False
    """Set after a recovery code when the settings ask for a new authenticator; always after an activation code."""
    temporary: bool = False
    """The TOTP code came from a temporary authenticator."""


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The directory took the new password."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A code of the new authenticator was right: it is confirmed, and there are recovery codes to show."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class CodesSeen:
    """The person confirmed to have kept the codes."""

    user_id: UserId


Event = PasswordProven | SecondFactorProven | PasswordChanged | Enrolled | CodesSeen


@dataclass(frozen=True, slots=True)
class Accepted:
    """All that this login needed was proven by this one person."""

    user_id: UserId
    factors: frozenset[Factor]
    degraded: bool = False
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event does not belong here. After OTHER_IDENTITY the flow is `START` again."""

    refusal: Refusal


Verdict = Need | Accepted | Rejected


def verdict(flow: Flow) -> Need | Accepted:
    """What this flow still needs; total over all values."""
    if flow.user_id is None or Factor.PASSWORD not in flow.factors:
        return Need.PASSWORD
    if flow.enrolled and not flow.factors & _SECOND:
        return Need.SECOND_FACTOR
    if flow.must_change_password:
        return Need.NEW_PASSWORD
    if not flow.enrolled or flow.must_enrol:
        return Need.ENROLMENT
    if flow.codes_to_show:
        return Need.CODES_SEEN
    return Accepted(flow.user_id, flow.factors, flow.degraded, flow.temporary)


def advance(flow: Flow, event: Event) -> tuple[Flow, Verdict]:
    """The flow after an event, and what it needs now. Never raises; an event out of place changes nothing."""
    if isinstance(event, PasswordProven):
        if event.degraded and (event.must_change or not event.enrolled):
            return START, Rejected(Refusal.NOT_WHILE_DEGRADED)
        return _judged(
            Flow(
                user_id=event.user_id,
                factors=frozenset({Factor.PASSWORD}),
                enrolled=event.enrolled,
                must_change_password=event.must_change,
                degraded=event.degraded,
            )
        )
    if flow.user_id is not None and event.user_id != flow.user_id:
        return START, Rejected(Refusal.OTHER_IDENTITY)
    if verdict(flow) is not _answers(event):
        return flow, Rejected(Refusal.OUT_OF_ORDER)
    match event:
        case SecondFactorProven():
            if event.factor is Factor.PASSWORD:
                return flow, Rejected(Refusal.OUT_OF_ORDER)
            if flow.degraded and (event.factor is not Factor.TOTP or event.must_enrol):
                return flow, Rejected(Refusal.NOT_WHILE_DEGRADED)
            activation = event.factor is Factor.ACTIVATION_CODE
            return _judged(
                replace(
                    flow,
                    factors=flow.factors | {event.factor},
                    must_enrol=event.must_enrol or activation,
                    temporary=event.temporary or activation,
                )
            )
        case PasswordChanged():
            return _judged(replace(flow, must_change_password=False))
        case Enrolled():
            factors, shows_codes = flow.factors | {Factor.TOTP}, not flow.temporary
            return _judged(replace(flow, factors=factors, enrolled=True, must_enrol=False, codes_to_show=shows_codes))
        case CodesSeen():
            return _judged(replace(flow, codes_to_show=False))
        case _:
            assert_never(event)


def _judged(flow: Flow) -> tuple[Flow, Need | Accepted]:
    return flow, verdict(flow)


def _answers(event: SecondFactorProven | PasswordChanged | Enrolled | CodesSeen) -> Need:
    match event:
        case SecondFactorProven():
            return Need.SECOND_FACTOR
        case PasswordChanged():
            return Need.NEW_PASSWORD
        case Enrolled():
            return Need.ENROLMENT
        case CodesSeen():
            return Need.CODES_SEEN
        case _:
            assert_never(event)
