"""How long all others wait on a gateway's event loop: `python -m bench.beside PORT`, until its input ends.

A process of its own, so that it waits for nobody but the gateway: it asks for the cheapest answer there is, 200 times
a second, and prints when it asked (`perf_counter`) and the milliseconds until the answer, as one line of JSON.
"""

import json
import select
import socket
import sys
import time
from typing import Final

PAUSE_SECONDS: Final = 0.005
_ASK: Final = (
    b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n"
)


def main() -> None:
    """See the module's text."""
    waited = []
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.perf_counter()
        while not select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
            began = time.perf_counter()
            line.sendall(_ASK)
            if not line.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit("no answer")
            waited.append((began, 1000 * (time.perf_counter() - began)))
            due = max(due + PAUSE_SECONDS, time.perf_counter())
    print(json.dumps(waited))


if __name__ == "__main__":
    main()
