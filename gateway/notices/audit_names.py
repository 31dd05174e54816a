"""Names of the audit events of notices. Counterpart: `gateway.notices`, which records them; the report counts them."""

from enum import StrEnum


class NoticeAudit(StrEnum):
    """Verb-noun names, stable. A notice that cannot be recorded goes out all the same: people must be told."""

    ANNOUNCE_NOTICE = "announce-notice"
    """A notice was made; how many people it is for."""
    SEND_NOTICES = "send-notices"
    """A batch was handed on by one channel: how many were taken, how many not, and the first reason."""
    SWITCH_CHANNEL = "switch-channel"
    """People whom the first channel does not reach are tried by the second."""
    READ_NOTICE = "read-notice"
    ANSWER_NOTICE = "answer-notice"
