"""How the terms of all matching rules become one set of obligations. Pure.

Counterpart: `policy.engine`. Two directions, and never a mix of them:

- `terms` of permits widen: each permit offers its terms (defaults where it is silent) and the best offer counts, so
  adding a permit never takes anything away.
- `oblige` of any rule and the guardrails' caps narrow: the strictest counts, whatever any permit offered.

Looking only means no typing, so view-only also closes the clipboard towards the desktop. The watermark is always
on: there is no key to switch it off.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from policy.model import DEFAULT_IDLE_LIMIT, DEFAULT_TOTAL_LIMIT, Action, Obligations, QualityProfile
from policy.schema import Oblige, Terms

NO_TERMS: Final = Terms()
_QUALITY: Final = (QualityProfile.SLOW, QualityProfile.STANDARD, QualityProfile.HIGH)


def merge(offers: Iterable[Terms], demands: Iterable[Oblige]) -> Obligations:
    """The best of the offers (at least one), cut down to the strictest of the demands."""
    merged = _best([_complete(terms) for terms in offers])
    for demand in demands:
        merged = _cut(merged, demand)
    return view_only(merged) if merged.view_only else merged


def view_only(obligations: Obligations) -> Obligations:
    """The same, to look at only."""
    return replace(obligations, view_only=True, clipboard_in_chars=0)


def actions_on(terms: Obligations | None) -> tuple[Action, ...]:
    """What may be done on these terms; none when refused. The engine derives the actions in the same way."""
    if terms is None:
        return ()
    given = {
        Action.CONNECT: True,
        Action.VIEW: True,
        Action.CONTROL: not terms.view_only,
        Action.CLIPBOARD_IN: terms.clipboard_in_chars > 0,
        Action.CLIPBOARD_OUT: terms.clipboard_out_chars > 0,
    }
    return tuple(action for action, may in given.items() if may)


def no_worse(old: Obligations | None, new: Obligations | None) -> bool:
    """Whether no limit and no quality of the new terms is below the old one; view-only is a matter of actions."""
    if old is None or new is None:
        return old is None
    return all(after >= before for before, after in zip(measures(old), measures(new), strict=True))


def measures(terms: Obligations) -> tuple[float, ...]:
    """What can be more or less of: more is better for the person."""
    return (
        terms.clipboard_in_chars,
        terms.clipboard_out_chars,
        terms.idle_limit.total_seconds(),
        terms.total_limit.total_seconds(),
        _QUALITY.index(terms.quality) + 1,
    )


def _complete(terms: Terms) -> Obligations:
    return Obligations(
        clipboard_in_chars=terms.clipboard_in_chars or 0,
        clipboard_out_chars=terms.clipboard_out_chars or 0,
        view_only=bool(terms.view_only),
        watermark=True,
        idle_limit=terms.idle_limit or DEFAULT_IDLE_LIMIT,
        total_limit=terms.total_limit or DEFAULT_TOTAL_LIMIT,
        quality=terms.quality or QualityProfile.STANDARD,
    )


def _best(offers: list[Obligations]) -> Obligations:
    return Obligations(
        clipboard_in_chars=max(offer.clipboard_in_chars for offer in offers),
        clipboard_out_chars=max(offer.clipboard_out_chars for offer in offers),
        view_only=all(offer.view_only for offer in offers),
        watermark=True,
        idle_limit=max(offer.idle_limit for offer in offers),
        total_limit=max(offer.total_limit for offer in offers),
        quality=max((offer.quality for offer in offers), key=_QUALITY.index),
    )


def _cut(obligations: Obligations, demand: Oblige) -> Obligations:
    return Obligations(
        clipboard_in_chars=_least(obligations.clipboard_in_chars, demand.clipboard_in_chars),
        clipboard_out_chars=_least(obligations.clipboard_out_chars, demand.clipboard_out_chars),
        view_only=obligations.view_only or bool(demand.view_only),
        watermark=True,
        idle_limit=_shortest(obligations.idle_limit, demand.idle_limit),
        total_limit=_shortest(obligations.total_limit, demand.total_limit),
        quality=min(obligations.quality, demand.quality or obligations.quality, key=_QUALITY.index),
    )


def _least(value: int, cap: int | None) -> int:
    return value if cap is None else min(value, cap)


def _shortest(value: timedelta, cap: timedelta | None) -> timedelta:
    return value if cap is None else min(value, cap)
