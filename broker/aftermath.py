"""What the end of a viewer means for the desktop behind it. Pure: one table, so that no handler decides it again."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from broker.models import EndReason


class Aftermath(StrEnum):
    """What becomes of the session when its viewer is gone."""

    KEEP = "keep"
    """The desktop runs on, `disconnected`, until the pool's limit: unsaved work survives."""
    CHECK = "check"
    """As far as the stream tells, the desktop is gone. A session host is asked before work is given up (its agent may
    only have restarted); a static target has nobody to ask, so the session ends, which stops nothing there."""
    END = "end"
    """The session ends and its desktop is stopped."""


AFTERMATH: Final[Mapping[EndReason, Aftermath]] = {
    # Logging off a desktop goes through `SessionService.end`, which has moved the session on by then.
    EndReason.USER_LOGGED_OUT: Aftermath.KEEP,
    # Takes the screen away and leaves the work open, as a locked PC would.
    EndReason.SIGNED_OUT: Aftermath.KEEP,
    # The old viewer's number is outdated by then, so nothing happens; KEEP is the harmless answer.
    EndReason.TAKEN_OVER: Aftermath.KEEP,
    EndReason.IDLE: Aftermath.KEEP,
    EndReason.TOTAL_LIMIT: Aftermath.END,
    EndReason.ADMIN: Aftermath.END,
    # A rule that stops applying (office hours over, group removed) takes the screen, not the unsaved document.
    EndReason.POLICY: Aftermath.KEEP,
    EndReason.DESKTOP_ENDED: Aftermath.CHECK,
    EndReason.DESKTOP_FAILED: Aftermath.CHECK,
    # A line to the target that is down now may come back; a session host's desktop that is gone is found all the same.
    EndReason.TARGET_UNREACHABLE: Aftermath.KEEP,
    EndReason.PROTOCOL_VIOLATION: Aftermath.END,
    EndReason.GATEWAY_STOPPING: Aftermath.KEEP,
    EndReason.AUDIT_UNAVAILABLE: Aftermath.KEEP,
    # The session is parked by then: desktop and work stay, the seat is somebody else's.
    EndReason.PREEMPTED: Aftermath.KEEP,
    EndReason.HOLD_LAPSED: Aftermath.END,
}

ASKING_HOST: Final = frozenset(
    {EndReason.TARGET_UNREACHABLE, *(reason for reason, after in AFTERMATH.items() if after is Aftermath.CHECK)}
)
"""For which it matters whether a session host runs the desktop."""


def aftermath(reason: EndReason | None, *, on_host: bool) -> Aftermath:
    """The row of the table; None is a lost line, which keeps the desktop. `on_host`: a session host runs it."""
    found = Aftermath.KEEP if reason is None else AFTERMATH[reason]
    if found is Aftermath.CHECK and not on_host:
        return Aftermath.END
    if reason is EndReason.TARGET_UNREACHABLE and on_host:
        return Aftermath.CHECK
    return found
