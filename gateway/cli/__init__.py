"""The `kakehashi` command. Counterparts: `gateway/app.py` (run) and the admin API, of which most commands are thin clients."""

from gateway.cli.root import main

__all__ = ["main"]
