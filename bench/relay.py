"""Work per byte and per message, and latency: our relay, filter on, and websockify 0.13 in alternating rounds.

What is compared is the wire: ours logs in to the target, filters every message and counts; websockify copies bytes.
Both get the same recorded TigerVNC stream. CPU is that of the relay's processes alone, user and system. Counterparts:
`bench/contenders.py`, `bench/endurance.py` (memory, many sessions), `bench/table.py`.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.contenders import DIRECT, OURS, PEER, Contender, Tls, contender, line_of, program
from bench.table import Goal, Row

GB: Final = 1e9
_BESIDE_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Setting:
    """How this run measures."""

    recording: Path
    tls: Tls
    rounds: int = 3
    seconds: float = 4.0
    quick: bool = False
    ours: str = OURS


@dataclass(frozen=True)
class Figure:
    """What is read off a scenario's result, and its goals without and with TLS."""

    name: str
    unit: str
    key: str
    plain: Goal | None = None
    secure: Goal | None = None


@dataclass(frozen=True)
class Scenario:
    """How the target sends, and how many viewers do what. `direct`: also without a relay, for what that adds."""

    target: str
    count: int
    mode: str
    figures: tuple[Figure, ...]
    secure: tuple[bool, ...] = (False, True)
    direct: bool = False
    bulk: int = 0
    """Unlimited streams beside, of viewers in a process of their own."""

    @property
    def name(self) -> str:
        """That of its first figure."""
        return self.figures[0].name


_HALF: Final = Goal(0.55, ratio=True)
_ECHO: Final = Goal(0.45, ratio=True)
SCENARIOS: Final = (
    Scenario("paced:1650000", 50, "count", (Figure("50 paced streams", "CPU-s/GB", "cpu_per_gb", _HALF, _HALF),)),
    Scenario(
        "flat",
        10,
        "count",
        (
            Figure("10 streams flat out", "CPU-s/GB", "cpu_per_gb", Goal(0.9, ratio=True), Goal(0.85, ratio=True)),
            Figure("10 streams flat out: throughput", "MB/s", "mb_per_second"),
        ),
    ),
    Scenario("flat", 1, "count", (Figure("1 stream flat out", "CPU-s/GB", "cpu_per_gb"),), secure=(False,)),
    Scenario(
        "echo", 50, "echo", (Figure("small echoes, 50 connections", "CPU-ms/1000", "cpu_per_1000", _ECHO, _ECHO),)
    ),
    Scenario(
        "echo",
        1,
        "echo",
        (
            Figure("small echoes, 1 connection: p50", "us", "p50_us"),
            Figure("small echoes, 1 connection: p99", "us", "p99_us"),
        ),
    ),
    Scenario(
        "echo",
        50,
        "echo-paced",
        (
            Figure("small echoes, 50 paced connections: p50", "us", "p50_us"),
            Figure("small echoes, 50 paced connections: p99", "us", "p99_us"),
            Figure("the same p99, added over direct", "us", "p99_added", Goal(300)),
        ),
        secure=(False,),
        direct=True,
    ),
    Scenario(
        "mixed:4",
        1,
        "echo-paced",
        (Figure("echo p99 beside 4 unlimited streams", "ms", "p99_ms", Goal(5), Goal(5)),),
        bulk=4,
    ),
    Scenario("idle", 20, "churn", (Figure("set-ups of the bare relay, 20 at a time", "/s", "per_second"),)),
)


@contextmanager
def stage(setting: Setting, name: str, target: str, *, secure: bool) -> Iterator[tuple[Contender, int]]:
    """A target and a relay in front of it; gives the relay, and its memory while nobody is there."""
    with ExitStack() as stack:
        serving = stack.enter_context(program("bench.replay_target", target, str(setting.recording)))
        port = int(line_of(serving))
        relay = stack.enter_context(contender(name, port, setting.tls if secure else None))
        yield relay, relay.memory()


def load(setting: Setting, relay: Contender, count: int, seconds: float, mode: str) -> list[str]:
    """Arguments of the viewers' program."""
    secure = relay.url.startswith("wss")
    return [relay.url, str(count), str(seconds), mode, *([str(setting.tls.authority)] if secure else [])]


def measured(setting: Setting, scenario: Scenario, name: str, *, secure: bool) -> dict[str, float]:
    """One run of one contender."""
    with ExitStack() as stack:
        relay, _ = stack.enter_context(stage(setting, name, scenario.target, secure=secure))
        if scenario.bulk:
            beside = load(setting, relay, scenario.bulk, _BESIDE_SECONDS, "count")
            line_of(stack.enter_context(program("bench.viewers", *beside)))
        arguments = load(setting, relay, scenario.count, setting.seconds, scenario.mode)
        before = relay.cpu_seconds()
        viewers = stack.enter_context(program("bench.viewers", *arguments))
        if scenario.mode != "churn":
            line_of(viewers)
            before = relay.cpu_seconds()
        result: dict[str, float] = json.loads(line_of(viewers))
        used = relay.cpu_seconds() - before
    if result.get("lost"):
        raise RuntimeError(f"{name} lost {result['lost']:.0f} of {scenario.count} connections: {scenario.name}")
    done, gigabytes = max(1.0, result.get("done", 0)), max(1.0, result.get("bytes", 0)) / GB
    return result | {
        "cpu_per_gb": used / gigabytes,
        "mb_per_second": gigabytes * 1000 / setting.seconds,
        "cpu_per_1000": used * 1e6 / done,
        "cpu_ms_each": used * 1e3 / done,
        "per_second": done / setting.seconds,
        "p99_ms": result.get("p99_us", 0) / 1000,
    }


def compare(setting: Setting, scenario: Scenario, *, secure: bool) -> list[Row]:
    """All rounds of a scenario, the contenders in turn within each."""
    runs: dict[str, list[dict[str, float]]] = {setting.ours: [], PEER: []}
    for _ in range(setting.rounds):
        alone = measured(setting, scenario, DIRECT, secure=False)["p99_us"] if scenario.direct else 0.0
        for name, results in runs.items():
            result = measured(setting, scenario, name, secure=secure)
            results.append(result | {"p99_added": result.get("p99_us", 0) - alone})
            time.sleep(0.2)
    return [
        Row(
            f"{figure.name}{', TLS' if secure else ''}",
            figure.unit,
            [result[figure.key] for result in runs[setting.ours]],
            [result[figure.key] for result in runs[PEER]],
            figure.secure if secure else figure.plain,
        )
        for figure in scenario.figures
    ]
