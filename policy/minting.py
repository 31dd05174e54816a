"""The only place where a Grant or a Decision comes into being. Counterpart: `policy.engine`, the only importer (a test
reads the source of every package for it). It must not judge anything.

The slots' own setters are used because a frozen dataclass's constructor costs three times as much, and this is on
the path of every decision.
"""

from typing import Final

from policy.model import Basis, Decision, Grant, Refusal, Request

_new: Final = object.__new__
_set_request: Final = Grant.__dict__["request"].__set__
_set_basis: Final = Grant.__dict__["basis"].__set__
_set_grant: Final = Decision.__dict__["grant"].__set__
_set_outcome: Final = Decision.__dict__["outcome"].__set__


def allow(request: Request, basis: Basis) -> Decision:
    """An allowed decision with its grant."""
    grant = _new(Grant)
    _set_request(grant, request)
    _set_basis(grant, basis)
    decision = _new(Decision)
    _set_grant(decision, grant)
    _set_outcome(decision, basis)
    return decision


def refuse(refusal: Refusal) -> Decision:
    """A refused decision: no grant."""
    decision = _new(Decision)
    _set_grant(decision, None)
    _set_outcome(decision, refusal)
    return decision
