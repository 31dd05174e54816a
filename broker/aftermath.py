"""What the end of a viewer means for the desktop behind it. Pure: one table, so that no handler decides it again."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from broker.models import EndReason


class Aftermath(StrEnum):
    """What becomes of the session when its viewer is gone."""

    KEEP = "keep"
    """The desktop runs on, `disconnected`, until the pool's limit: unsaved work survives."""
    END = "end"
    """The session ends and its desktop is stopped."""


AFTERMATH: Final[Mapping[EndReason, Aftermath]] = {
    # Logging off a desktop goes through `SessionService.end`. What comes here is the log-out from the portal, which
    # takes the screen away and leaves the work open, as a locked PC would.
    EndReason.USER_LOGGED_OUT: Aftermath.KEEP,
    # The old viewer's number is outdated by then, so nothing happens; KEEP is the harmless answer.
    EndReason.TAKEN_OVER: Aftermath.KEEP,
    EndReason.IDLE: Aftermath.KEEP,
    EndReason.TOTAL_LIMIT: Aftermath.END,
    EndReason.ADMIN: Aftermath.END,
    # A rule that stops applying (office hours over, group removed) takes the screen, not the unsaved document.
    EndReason.POLICY: Aftermath.KEEP,
    EndReason.DESKTOP_ENDED: Aftermath.END,
    EndReason.DESKTOP_FAILED: Aftermath.END,
    # A line to the target that is down now may come back; a desktop that is gone is found by reconciliation.
    EndReason.TARGET_UNREACHABLE: Aftermath.KEEP,
    EndReason.PROTOCOL_VIOLATION: Aftermath.END,
    EndReason.GATEWAY_STOPPING: Aftermath.KEEP,
    EndReason.AUDIT_UNAVAILABLE: Aftermath.KEEP,
}


def aftermath(reason: EndReason | None) -> Aftermath:
    """The row of the table; None is a lost line, which keeps the desktop."""
    return Aftermath.KEEP if reason is None else AFTERMATH[reason]
