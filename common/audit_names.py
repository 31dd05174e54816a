"""What the audit records of itself; all other names belong to the packages whose events they are."""

from enum import StrEnum


class AuditAudit(StrEnum):
    """Verb-noun names of audit events."""

    LOSE_DATABASE = "lose-database"
    """From here on events went to the node's spool."""
    REGAIN_DATABASE = "regain-database"
    """All of them are in the database: how many, since when."""
    DISTRUST_SPOOL = "distrust-spool"
    """The spool did not follow the chain, or was damaged: why, and under which name it is kept."""
