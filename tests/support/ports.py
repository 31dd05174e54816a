"""Free loopback ports below the kernel's ephemeral range, where outgoing connections cannot take them meanwhile."""

import secrets
import socket


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    for _ in range(200):
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1")
