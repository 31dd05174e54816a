"""Telling people what BCP mode changes: texts, outbox, channels, receipts. See docs/how-to/bcp-notices.md."""
