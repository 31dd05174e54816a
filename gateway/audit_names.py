"""What the gateway itself records; login and session events belong to auth and broker."""

from enum import StrEnum


class GatewayAudit(StrEnum):
    """Verb-noun names of audit events."""

    DENY_SESSION = "deny-session"
    """Policy does not allow a session that somebody asked for: reason, rules, whether normal policy would have."""
    PASS_CLIPBOARD = "pass-clipboard"  # noqa: S105 - a name
    BLOCK_CLIPBOARD = "block-clipboard"
    BREAK_PROTOCOL = "break-protocol"
    FAIL_DESKTOP = "fail-desktop"
    REFUSE_DESKTOP = "refuse-desktop"
    LOAD_POLICY = "load-policy"
    REJECT_POLICY = "reject-policy"
    RESTORE_NORMAL = "restore-normal"
    """What an emergency left behind was taken back, and the normal rules were compared with those before it."""
    DISTRUST_CLOCK = "distrust-clock"
    """This machine's clock is more than a minute wrong: nothing begins here that rests on the time."""
    TRUST_CLOCK = "trust-clock"
    START_GATEWAY = "start-gateway"
    STOP_GATEWAY = "stop-gateway"
