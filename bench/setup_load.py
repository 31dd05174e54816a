"""People who open their desktops again and again: `python -m bench.setup_load URL SECONDS SEATS` prints JSON.

SEATS is a file with a JSON list of what each person has: session, cookie, csrf. One round is: ask for a ticket, open
the WebSocket with it, see ServerInit, leave. Counterpart: `bench/whole_gateway.py`.
"""

import asyncio
import json
import os
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import uvloop

from bench.viewers import Viewer, quantile
from gateway.headers import SESSION_COOKIE


async def person(url: str, seat: dict[str, str], until: float, times: list[float], failures: list[str]) -> None:
    """One of them."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # the gateway's certificate was made for this run
    path = f"/api/v1/sessions/{seat['session']}"
    cookie = f"{SESSION_COOKIE}={seat['cookie']}"
    headers = {"Origin": url, "Cookie": cookie, "X-CSRF-Token": seat["csrf"]}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as client:
        while time.perf_counter() < until:
            start = time.perf_counter()
            async with client.post(f"{url}{path}/ticket", headers=headers) as response:
                given = await response.json()
                if response.status != 200:
                    failures.append(str(given))
                    return
            viewer = await Viewer.connect(
                f"wss://{urlsplit(url).netloc}{path}/rfb",
                tls,
                protocols=f"binary, kakehashi.ticket.{given['ticket']}",
                headers=f"Origin: {url}\r\nCookie: {cookie}\r\n",
            )
            if viewer.lost:
                failures.append("no ServerInit")
            else:
                times.append(time.perf_counter() - start)
            viewer.transport.abort()


async def run(url: str, seconds: float, seats: list[dict[str, str]]) -> dict[str, object]:
    """All of them."""
    times: list[float] = []
    failures: list[str] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(person(url, seat, until, times, failures) for seat in seats))
    return {
        "done": len(times),
        "failures": len(failures),
        "first": failures[:1],
        "p50_us": quantile(times, 0.5),
        "p95_us": quantile(times, 0.95),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(sys.argv[1], float(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())))))
    sys.stdout.flush()
    os._exit(0)
