"""Our relay, filter on, against websockify 0.13 on the same replayed TigerVNC stream: `python -m bench.relay`.

Alternating rounds, medians; CPU is that of the relay's processes alone (user and system), memory their PSS. It prints a
table in Markdown and, with --json, the same as JSON. What is compared is the wire: ours logs in to the target, filters
every message and counts; websockify copies bytes. Each scenario carries its goal. Keep the machine quiet.
"""

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import trustme

from bench.relay_peers import ENCODINGS
from tests.fuzz.capture import Recorder
from tests.support.desktops import wait_for_colours
from tests.support.ports import free_port
from tests.support.relay_child import run_relay_child
from tests.support.rfb_viewer import unix_viewer
from tests.support.xvnc import end, run_xvnc

ROOT: Final = Path(__file__).parents[1]
GB: Final = 1e9
CONTENDERS: Final = ("kakehashi", "kakehashi-asyncio", "websockify")
_PAGE: Final = """<!doctype html><meta charset="utf-8"><body style="font:18px sans-serif;margin:40px"><script>
const text = "The quick brown fox jumps over the lazy dog. 橋の上から町を見る。 ".repeat(12);
for (let part = 0; part < 40; part++) {
  const heading = document.createElement("h2"); heading.textContent = "Section " + part;
  const words = document.createElement("p"); words.textContent = text;
  const picture = document.createElement("canvas"); picture.width = 1000; picture.height = 260;
  const pen = picture.getContext("2d");
  for (let blob = 0; blob < 300; blob++) {
    const x = (blob * 389 + part * 71) % 1000, y = (blob * 173) % 260, r = 20 + (blob * 37) % 90;
    const shade = pen.createRadialGradient(x, y, 0, x, y, r);
    shade.addColorStop(0, `hsla(${(blob * 47 + part * 20) % 360}, 70%, 55%, .8)`); shade.addColorStop(1, "transparent");
    pen.fillStyle = shade; pen.fillRect(x - r, y - r, 2 * r, 2 * r);
  }
  document.body.append(heading, words, picture);
}
let at = 0; setInterval(() => { at = (at + 530) % (document.body.scrollHeight - 800); scrollTo(0, at); }, 300);
</script>"""


@dataclass(frozen=True)
class Contender:
    """One running relay."""

    url: str
    root: psutil.Process

    def _all(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Of its processes, ended children included."""
        total = 0.0
        for process in self._all():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory(self) -> int:
        """Proportional set size of its processes, bytes."""
        total = 0
        for process in self._all():
            try:
                total += int(process.memory_full_info().pss)
            except psutil.NoSuchProcess:
                continue
        return total


def record(path: Path, most: int = 24_000_000, seconds: float = 60.0) -> None:
    """A real TigerVNC stream at 1280x800: a browser that jumps through text and pictures. Whole messages only."""

    async def watch(socket: Path) -> bytes:
        whole = 0
        deadline = time.monotonic() + seconds
        async with unix_viewer(socket) as viewer:
            await viewer.handshake()
            recorder = Recorder(viewer)
            await viewer.set_pixel_format()
            await viewer.set_encodings([number for number in ENCODINGS if number not in (-312, -313)])
            while whole < most and time.monotonic() < deadline:
                await viewer.update(incremental=whole > 0)
                whole = len(recorder.kept)
        return bytes(recorder.kept[:whole])

    with (
        tempfile.TemporaryDirectory(prefix="kk") as folder,
        run_xvnc(Path(folder) / "x", geometry="1280x800") as display,
    ):
        page = Path(folder) / "page.html"
        page.write_text(_PAGE)
        options = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--window-position=0,0", "--window-size=1280,800")
        display.start("chromium", *options, f"--user-data-dir={folder}/profile", f"--app=file://{page}")
        assert display.socket is not None
        wait_for_colours(display.socket, 2000, 40)
        path.write_bytes(asyncio.run(watch(display.socket)))


@contextmanager
def peer(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of bench.relay_peers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.relay_peers", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        end(process)
        process.stdout.close()


@contextmanager
def contender(name: str, target_port: int, certificate: Path | None) -> Iterator[Contender]:
    """Start one in front of the target."""
    if name.startswith("kakehashi"):
        loop = "asyncio" if name.endswith("asyncio") else "uvloop"
        with run_relay_child(loop, "tcp", target_port, certificate=certificate) as child:
            yield Contender(child.url, child.process)
        return
    port = free_port()
    tls = [f"--cert={certificate}", "--ssl-only"] if certificate else []
    program = Path(sys.executable).with_name("websockify")
    process = subprocess.Popen(
        [str(program), *tls, f"127.0.0.1:{port}", f"127.0.0.1:{target_port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        watched = psutil.Process(process.pid)
        deadline = time.monotonic() + 10
        while not any(c.status == psutil.CONN_LISTEN for c in watched.net_connections("tcp")):
            if time.monotonic() > deadline:
                raise RuntimeError("websockify does not listen")
            time.sleep(0.05)
        yield Contender(f"{'wss' if certificate else 'ws'}://127.0.0.1:{port}/", watched)
    finally:
        for worker in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        end(process)


@dataclass(frozen=True)
class Scenario:
    """One row: how the target sends, how many viewers do what, and what is read off."""

    title: str
    target: str
    count: int
    mode: str
    figure: str  # cpu_per_gb, cpu_per_1000, p99_us, per_second, idle_kib, stall_kib
    unit: str
    goal: str
    bystanders: int = 0  # unlimited streams beside, from the same relay


SCENARIOS: Final = (
    Scenario("paced streams, 50 sessions", "paced:1650000", 50, "count", "cpu_per_gb", "CPU-s/GB", "<= 0.55 x"),
    Scenario("flat out, 10 streams", "flat", 10, "count", "cpu_per_gb", "CPU-s/GB", "<= 0.90 x / TLS 0.85 x"),
    Scenario("flat out, 1 stream", "flat", 1, "count", "cpu_per_gb", "CPU-s/GB", ""),
    Scenario("small echoes, closed loop, 50", "echo", 50, "echo", "cpu_per_1000", "CPU-ms/1000", "<= 0.45 x"),
    Scenario("small echoes, closed loop, 1", "echo", 1, "echo", "p99_us", "us p99", ""),
    Scenario("echo p99, 50 paced sessions", "echo", 50, "echo-paced", "p99_us", "us p99", "direct + 300 us"),
    Scenario("set-ups, 20 at once", "idle", 20, "churn", "per_second", "/s", ">= 3 x"),
    Scenario("idle sessions", "idle", 300, "count", "idle_kib", "KiB PSS each", "<= 40 / TLS 72"),
    Scenario("stalled viewers", "flat", 50, "stall", "stall_kib", "KiB PSS each", "<= 1024, no growth"),
)


def measure(scenario: Scenario, name: str, recording: Path, seconds: float, tls: tuple[Path, Path] | None) -> float:
    """One run of one contender ("direct" has no relay and only a latency)."""
    with ExitStack() as stack:
        serving = stack.enter_context(peer("target", scenario.target, str(recording)))
        assert serving.stdout is not None
        port = int(serving.stdout.readline())
        relay = stack.enter_context(contender(name, port, tls[0] if tls else None))
        empty = relay.memory()
        length = 12.0 if scenario.mode == "stall" else seconds
        authority = [str(tls[1])] if tls else []
        load = stack.enter_context(
            peer("viewers", relay.url, str(scenario.count), str(length), scenario.mode, *authority)
        )
        assert load.stdout is not None
        if scenario.mode != "churn":
            assert load.stdout.readline().strip() == "ready", f"{name} did not open {scenario.count} sessions"
        before = relay.cpu_seconds()
        if scenario.figure.endswith("kib"):
            time.sleep(length - 1)
            return (relay.memory() - empty) / 1024 / scenario.count
        result = json.loads(load.stdout.readline())
        used = relay.cpu_seconds() - before
        return _figure(scenario.figure, result, used, length)


def _figure(figure: str, result: dict[str, float], used: float, length: float) -> float:
    if figure == "cpu_per_gb":
        return used / (result["bytes"] / GB)
    if figure == "cpu_per_1000":
        return used * 1e6 / result["done"]
    if figure == "per_second":
        return result["done"] / length
    return result[figure]


def certificates(folder: Path) -> tuple[Path, Path]:
    """Key with chain for the relay, CA for the viewers."""
    authority = trustme.CA()
    both, trusted = folder / "relay.pem", folder / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(both))
    authority.cert_pem.write_to_path(str(trusted))
    return both, trusted


def compare(
    scenarios: list[Scenario],
    names: list[str],
    recording: Path,
    rounds: int,
    seconds: float,
    tls: tuple[Path, Path] | None,
) -> list[dict[str, object]]:
    """Every scenario, the contenders in turn within each round. One row per scenario."""
    rows: list[dict[str, object]] = []
    for scenario in scenarios:
        runs: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                runs[name].append(measure(scenario, name, recording, seconds, tls))
        medians = {name: statistics.median(values) for name, values in runs.items()}
        base = medians.get("websockify")
        ratios = {name: value / base for name, value in medians.items() if base}
        rows.append(
            {"title": scenario.title, "unit": scenario.unit, "goal": scenario.goal, "tls": tls is not None}
            | {"medians": medians, "ratios": ratios}
        )
        print(markdown(rows[-1], names), flush=True)
    return rows


def markdown(row: dict[str, object], names: list[str]) -> str:
    """One line of the table."""
    medians, ratios = row["medians"], row["ratios"]
    assert isinstance(medians, dict)
    assert isinstance(ratios, dict)
    cells = [
        f"{medians[name]:.4g} ({ratios[name]:.2f})" if name in ratios else f"{medians[name]:.4g}" for name in names
    ]
    title = f"{row['title']}{', TLS' if row['tls'] else ''}"
    return f"| {title} | {row['unit']} | " + " | ".join(cells) + f" | {row['goal']} |"


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", default="", help="run scenarios whose title contains this")
    parser.add_argument("--recording", type=Path, help="a stream to use, or to make when the file is missing")
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--no-tls", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = options.contenders.split(",")
    scenarios = [scenario for scenario in SCENARIOS if options.only in scenario.title]
    with tempfile.TemporaryDirectory(prefix="kkbench") as name:
        folder = Path(name)
        recording = options.recording or folder / "stream.rfb"
        if not recording.exists():
            record(recording)
        size = recording.stat().st_size
        print(f"{time.strftime('%Y-%m-%d')}, {psutil.cpu_count()} cores, Python {platform.python_version()}, ", end="")
        print(f"stream of {size / 1e6:.1f} MB, {options.rounds} rounds of {options.seconds:g} s; (x websockify)\n")
        print("| | unit | " + " | ".join(names) + " | goal |\n" + "|---" * (len(names) + 3) + "|")
        rows = compare(scenarios, names, recording, options.rounds, options.seconds, None)
        if not options.no_tls:
            rows += compare(scenarios, names, recording, options.rounds, options.seconds, certificates(folder))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
