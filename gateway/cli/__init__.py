"""The `kakehashi` command: runs the gateway, and thin clients of the admin API."""

from gateway.cli.root import main

__all__ = ["main"]
