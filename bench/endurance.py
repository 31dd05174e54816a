"""Many sessions and bad ones: memory while idle, viewers that take nothing, a thousand at once, a hundred at work.

Memory is the proportional set size of the relay's processes over what they take while nobody is there. websockify is
measured with few sessions: it takes megabytes for each, stops at 510, and holds what a stalled viewer does not take
without a bound. Counterpart: `bench/relay.py`.
"""

import json
import time
from typing import Final

import psutil

from bench.contenders import PEER, line_of, program
from bench.relay import Setting, load, stage
from bench.table import Goal, Row

PEER_IDLE: Final = 100
PEER_STALLED: Final = 5
PEER_STALLED_SECONDS: Final = 4.0
PEER_AT_ONCE: Final = 600
_KIB: Final = 1024
_NEEDED: Final = 6 * 1024**3
"""Free memory without which websockify's 600 processes are left out."""
_SETTLED: Final = 3.0


def idle(setting: Setting, count: int, *, secure: bool) -> list[Row]:
    """KiB for each of so many sessions in which nothing happens."""
    count = count // 10 if setting.quick else count

    def each(name: str, sessions: int) -> float:
        with stage(setting, name, "idle", secure=secure) as (relay, empty):
            with program("bench.viewers", *load(setting, relay, sessions, 3.0, "count")) as viewers:
                line_of(viewers)
                time.sleep(1.0)
                taken = (relay.memory() - empty) / _KIB / sessions
                if json.loads(line_of(viewers))["lost"]:
                    raise RuntimeError(f"{name} lost idle sessions")
            return taken

    name = f"memory of each of {count:,} idle sessions{', TLS' if secure else ''}"
    note = f"websockify: {PEER_IDLE} sessions"
    return [Row(name, "KiB", [each(setting.ours, count)], [each(PEER, PEER_IDLE)], Goal(72 if secure else 40), note)]


def stalled(setting: Setting, *, secure: bool) -> list[Row]:
    """50 viewers that read nothing of a stream without end: how much is held, and whether it grows."""

    def held(name: str, count: int, seconds: float) -> list[float]:
        """KiB for each session: after three seconds, and from then on."""
        with (
            stage(setting, name, "flat", secure=secure) as (relay, empty),
            program("bench.viewers", *load(setting, relay, count, seconds, "stall")) as viewers,
        ):
            line_of(viewers)
            time.sleep(_SETTLED)
            samples = [(relay.memory() - empty) / _KIB / count]
            until = time.monotonic() + seconds - _SETTLED - 0.5
            while time.monotonic() < until:
                time.sleep(min(5.0, max(0.1, until - time.monotonic())))
                samples.append((relay.memory() - empty) / _KIB / count)
            return samples

    seconds = 12.0 if setting.quick else 60.0
    ours = held(setting.ours, 50, seconds)
    theirs = held(PEER, PEER_STALLED, PEER_STALLED_SECONDS)
    suffix = ", TLS" if secure else ""
    note = f"websockify: {PEER_STALLED} viewers, {PEER_STALLED_SECONDS:g} s, still growing"
    return [
        Row(f"50 stalled viewers, {seconds:g} s: most held by each{suffix}", "KiB", [max(ours)], [max(theirs)],
            Goal(1024), note),
        Row(f"50 stalled viewers: growth of each after 3 s{suffix}", "KiB", [max(ours) - ours[0]], (), Goal(32)),
    ]  # fmt: skip


def at_once(setting: Setting, *, secure: bool) -> list[Row]:
    """1,000 that connect in the same moment: how many get no answer to their first message."""

    def errors(name: str, count: int) -> float:
        with (
            stage(setting, name, "echo", secure=secure) as (relay, _),
            program("bench.viewers", *load(setting, relay, count, 0.0, "at-once")) as viewers,
        ):
            line_of(viewers)
            found: float = json.loads(line_of(viewers))["errors"]
            return found

    spacious = psutil.virtual_memory().available > _NEEDED and not setting.quick
    note = f"websockify: of {PEER_AT_ONCE}" if spacious else "websockify left out"
    peer = [errors(PEER, PEER_AT_ONCE)] if spacious else []
    name = f"1,000 sessions at once{', TLS' if secure else ''}"
    return [Row(name, "not served", [errors(setting.ours, 1000)], peer, Goal(0), note)]


def office(setting: Setting) -> list[Row]:
    """100 people over TLS who type and turn pages: the share of one core."""
    seconds = 5.0 if setting.quick else 15.0

    def share(name: str) -> float:
        with (
            stage(setting, name, "office", secure=True) as (relay, _),
            program("bench.viewers", *load(setting, relay, 100, seconds, "office")) as viewers,
        ):
            line_of(viewers)
            before = relay.cpu_seconds()
            result = json.loads(line_of(viewers))
            return (relay.cpu_seconds() - before) / float(result["seconds"])

    rounds = range(setting.rounds)
    pairs = [(share(setting.ours), share(PEER)) for _ in rounds]

    return [Row("100 office sessions, TLS", "cores", [a for a, _ in pairs], [b for _, b in pairs], Goal(0.30))]
