"""Names of auth's audit events: verb-noun, stable, because searches and reports rely on them."""

from enum import StrEnum


class AuthAudit(StrEnum):
    """What auth records. Passwords, codes and cookies never appear; causes and LDAP codes do."""

    ACCEPT_PASSWORD = "accept-password"  # noqa: S105 - the name of an event
    REFUSE_PASSWORD = "refuse-password"  # noqa: S105 - the name of an event
    THROTTLE_LOGIN = "throttle-login"
    ACCEPT_TOTP = "accept-totp"
    REFUSE_TOTP = "refuse-totp"
    USE_RECOVERY_CODE = "use-recovery-code"
    REFUSE_RECOVERY_CODE = "refuse-recovery-code"
    CHANGE_PASSWORD = "change-password"  # noqa: S105 - the name of an event
    ENROL_TOTP = "enrol-totp"
    REFUSE_ENROLMENT = "refuse-enrolment"
    RENEW_RECOVERY_CODES = "renew-recovery-codes"
    ACCEPT_LOGIN = "accept-login"
    STEP_UP = "step-up"
    LOG_OUT = "log-out"
    REVOKE_WEB_SESSION = "revoke-web-session"
    EXPIRE_WEB_SESSION = "expire-web-session"
    RESET_FACTORS = "reset-factors"
    CHANGE_PERSON = "change-person"
    DISABLE_PERSON = "disable-person"
    DOUBT_DIRECTORY = "doubt-directory"
    LOSE_DIRECTORY = "lose-directory"
    REGAIN_DIRECTORY = "regain-directory"
    DEGRADED_LOGIN = "degraded-login"
    REHEARSE_DEGRADED_LOGIN = "rehearse-degraded-login"
    """A drill pretends that the directory is away: whether this login would have gone through without it."""
    PURGE_VERIFIER = "purge-verifier"
    PURGE_ALL_VERIFIERS = "purge-all-verifiers"
    OPEN_VOUCH = "open-vouch"
    CONFIRM_VOUCH = "confirm-vouch"
    REFUSE_VOUCH = "refuse-vouch"
    USE_ACTIVATION_CODE = "use-activation-code"
    REFUSE_ACTIVATION_CODE = "refuse-activation-code"
    ENROL_TEMPORARY_TOTP = "enrol-temporary-totp"
    END_TEMPORARY_TOTP = "end-temporary-totp"
    ISSUE_EMERGENCY_CARD = "issue-emergency-card"
    REVOKE_EMERGENCY_CARD = "revoke-emergency-card"
