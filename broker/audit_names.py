"""Names of the broker's audit events: verb-noun, stable, because searches and reports rely on them."""

from enum import StrEnum


class BrokerAudit(StrEnum):
    """What the broker records."""

    REQUEST_SESSION = "request-session"
    QUEUE_SESSION = "queue-session"
    REFUSE_SESSION = "refuse-session"
    START_DESKTOP = "start-desktop"
    REQUEUE_SESSION = "requeue-session"
    READY_DESKTOP = "ready-desktop"
    ISSUE_TICKET = "issue-ticket"
    REDEEM_TICKET = "redeem-ticket"
    REFUSE_TICKET = "refuse-ticket"
    ATTACH_VIEWER = "attach-viewer"
    TAKE_OVER_SESSION = "take-over-session"
    LOSE_VIEWER = "lose-viewer"
    CHANGE_GRANT = "change-grant"
    CUT_VIEWER = "cut-viewer"
    END_SESSION = "end-session"
    FINISH_SESSION = "finish-session"
    STOP_ORPHAN_DESKTOP = "stop-orphan-desktop"
    FAIL_DESKTOP_STOP = "fail-desktop-stop"
    PUT_POOL = "put-pool"
    DELETE_POOL = "delete-pool"
    PUT_TARGET = "put-target"
    DELETE_TARGET = "delete-target"
    SET_TARGET_CREDENTIAL = "set-target-credential"
    CLEAR_TARGET_CREDENTIAL = "clear-target-credential"
