"""The way back to normal (復旧) in the API: what an emergency left behind, and what of it is taken back. Pure.

Counterpart: `gateway/handlers/restore.py`.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.schemas import Answer, Body

Id = Annotated[str, Field(min_length=1, max_length=100)]


class LeftFactorAnswer(Answer):
    """Help for a lost authenticator that still runs: a vouch, or the temporary authenticator made of it."""

    id: str
    username: str
    display_name: str
    state: str
    opened_at: datetime
    expires_at: datetime


class LeftCardAnswer(Answer):
    """An emergency card in force that was issued since the declaration began."""

    username: str
    display_name: str
    number: str
    issued_at: datetime


class RestoreAnswer(Answer):
    """Everything on one list."""

    may_restore: bool
    """The declaration is over, or in recovery, and the caller may act now."""
    needs_directory: bool
    """The caller may act once the directory answers and they are signed in as usual: no code is worth spending yet."""
    temporary: list[LeftFactorAnswer]
    cards: list[LeftCardAnswer]
    verifiers: int
    """People who could sign in without the directory."""
    in_grace: int
    """Sessions that lost a declaration and run out their grace at the answering node."""
    others_active: int
    """Other real declarations in force: what they need must stay."""
    rules_before: str
    rules_now: str
    """Hashes of the normal rules when the declaration began, and now; `rules_before` is empty if no event tells."""


class RestoreBody(Body):
    """What is ticked: vouches by id, cards by user name, and whether to purge what degraded login has cached."""

    temporary: list[Id] = Field(default_factory=list, max_length=500)
    cards: list[Id] = Field(default_factory=list, max_length=500)
    verifiers: bool = False
