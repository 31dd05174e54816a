"""The safe return: what a declaration gave goes on for its plan's grace, for whoever is at work by it. Pure.

Counterparts: `policy.bcp.memory` keeps the declarations that went out of force, `policy.bcp.service` decides with them
when asked for somebody who has a desktop already. Nothing depends on which node or connection serves the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from policy.bcp.overlay import ActiveDeclaration, Deadline
from policy.model import ActiveOverlay


@dataclass(frozen=True, slots=True)
class Kept:
    """A declaration out of force and the moment (aware) when its grace runs out."""

    lost: ActiveDeclaration
    until: datetime


def kept(item: ActiveDeclaration, lost_at: datetime, seen: datetime, mono: float) -> ActiveDeclaration | None:
    """The declaration with its end put off: to its grace after it was lost, and never after that of its signed end.

    `seen` is the latest moment that is certain to have come at `mono`. None for a declaration that widens nothing.
    """
    return until(item, min(lost_at, item.declaration.ends_at) + item.plan.grace, seen, mono)


def until(item: ActiveDeclaration, end: datetime, seen: datetime, mono: float) -> ActiveDeclaration | None:
    """The same with an end that is known."""
    if item.overlay is None:
        return None
    return replace(item, deadline=Deadline(end, seen, mono), overlay=replace(item.overlay, ends_at=end))


def latest(overlays: Sequence[ActiveOverlay]) -> ActiveOverlay | None:
    """The one that ends last."""
    return max(overlays, key=lambda overlay: overlay.ends_at, default=None)
