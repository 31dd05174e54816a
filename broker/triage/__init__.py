"""Triage: who gets a seat when there are not enough, and who gives one up (domain: classes P0 to P4)."""
