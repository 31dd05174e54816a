"""Names of the audit events of this package. Counterpart: `policy.service`, which records them."""

from enum import StrEnum


class PolicyAudit(StrEnum):
    """Verb-noun names, stable: reports and alarms rely on them."""

    LOAD_POLICY = "load-policy"
    """A policy took effect: version, number of rules, hash of the file."""
    REJECT_POLICY = "reject-policy"
    """A changed file was not used: number of errors and the first one. The policy before it stays in force."""
