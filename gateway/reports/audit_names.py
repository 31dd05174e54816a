"""Names of the audit events of reports. Counterpart: `gateway.reports.service`."""

from enum import StrEnum


class ReportAudit(StrEnum):
    """Verb-noun names, stable."""

    MAKE_REPORT = "make-report"
    """A report was frozen: its number, edition and hash."""
    EXPORT_REPORT = "export-report"
    """Somebody took a report away as PDF or CSV."""
    DISTRUST_REPORT = "distrust-report"
    """A stored report does not have its hash any more: it is not shown."""
