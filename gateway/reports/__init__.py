"""The after-action report (実施報告書): gathered, frozen, printed. See docs/reference/bcp-report.md."""
