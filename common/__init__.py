"""Shared kernel: settings, clock, ids, secrets, errors, database, audit, events, logging, tasks. Knows no domain."""
