"""The states of a declaration and every step between them, as data. Pure.

Counterpart: `policy.bcp.declaration`, whose functions take these steps and no others. What is not in the table does not
exist.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from policy.bcp.model import Declaration, DeclarationState
from policy.bcp.model import RefusalCode as Code
from policy.bcp.refusals import refused


class Step(StrEnum):
    """What can happen to a declaration."""

    PROPOSE = "propose"
    DECLARE = "declare"
    """By one person: alert, drill or break-glass."""
    APPROVE = "approve"
    REJECT = "reject"
    LAPSE = "lapse"
    PROPOSE_EXTENSION = "propose_extension"
    APPROVE_EXTENSION = "approve_extension"
    DROP_EXTENSION = "drop_extension"
    RATIFY = "ratify"
    NARROW = "narrow"
    RECOVER = "recover"
    LIFT = "lift"
    EXPIRE = "expire"
    GIVE_WAY = "give_way"
    """A drill to a real declaration, or a declaration to the one that supersedes it."""


_DRAFT, _AWAITING, _ACTIVE = DeclarationState.DRAFT, DeclarationState.AWAITING_APPROVAL, DeclarationState.ACTIVE

TRANSITIONS: Final[Mapping[tuple[DeclarationState, Step], DeclarationState]] = {
    (_DRAFT, Step.PROPOSE): _AWAITING,
    (_DRAFT, Step.DECLARE): _ACTIVE,
    (_DRAFT, Step.REJECT): DeclarationState.REJECTED,
    (_DRAFT, Step.LAPSE): DeclarationState.LAPSED,
    (_AWAITING, Step.APPROVE): _ACTIVE,
    (_AWAITING, Step.REJECT): DeclarationState.REJECTED,
    (_AWAITING, Step.LAPSE): DeclarationState.LAPSED,
    (_ACTIVE, Step.PROPOSE_EXTENSION): _ACTIVE,
    (_ACTIVE, Step.APPROVE_EXTENSION): _ACTIVE,
    (_ACTIVE, Step.DROP_EXTENSION): _ACTIVE,
    (_ACTIVE, Step.RATIFY): _ACTIVE,
    (_ACTIVE, Step.NARROW): _ACTIVE,
    (_ACTIVE, Step.RECOVER): _ACTIVE,
    (_ACTIVE, Step.LIFT): DeclarationState.LIFTED,
    (_ACTIVE, Step.EXPIRE): DeclarationState.EXPIRED,
    (_ACTIVE, Step.GIVE_WAY): DeclarationState.LIFTED,
}

_NAMES_JA: Final[Mapping[DeclarationState, str]] = {
    _DRAFT: "下書き",
    _AWAITING: "承認待ち",
    _ACTIVE: "発動中",
    DeclarationState.LIFTED: "解除済み",
    DeclarationState.EXPIRED: "期限切れ",
    DeclarationState.LAPSED: "失効",
    DeclarationState.REJECTED: "却下",
}


def after(declaration: Declaration, step: Step) -> DeclarationState:
    """The state that the step leads to. Raises Refused when the table has no such step."""
    state = TRANSITIONS.get((declaration.state, step))
    if state is not None:
        return state
    if declaration.state is DeclarationState.LAPSED:
        raise refused(Code.LAPSED)
    name_en = declaration.state.replace("_", " ")
    raise refused(Code.NOT_POSSIBLE_NOW, state=_NAMES_JA[declaration.state], state_en=name_en)
