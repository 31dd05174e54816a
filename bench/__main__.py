"""Every goal, measured: `make bench`, or `python -m bench --help`. All load goes to 127.0.0.1.

Counterparts: one module for each part (`relay`, `endurance`, `whole_gateway`, `policy_bench`, `bcp`) with its text.
"""

import argparse
import platform
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from bench import bcp, bcp_effect, endurance, open_pages, policy_bench, relay, whole_gateway
from bench.contenders import OURS, certificates
from bench.recording import ends_file, record
from bench.table import HEADER, Row, markdown

FILES: Final = 16_384
"""Open files that 3,000 sessions and their ends need, with room."""
_EPILOG: Final = """\
--only looks for its text in the names that --list prints; given several times, each match counts.
A whole run takes about 20 minutes, --quick about 5 (one short round: a look, no proof).
Keep the machine quiet meanwhile: ratios of one run bear some other load, single figures do not."""


@dataclass(frozen=True)
class Measure:
    """One entry of the list: its names, and what to do. Without rows it printed its own table."""

    name: str
    run: Callable[[relay.Setting], list[Row]]


def measures() -> Iterator[Measure]:
    """In the order in which they run."""
    for scenario in relay.SCENARIOS:
        for secure in scenario.secure:
            run = partial(relay.compare, scenario=scenario, secure=secure)
            yield Measure(f"{scenario.name}{', TLS' if secure else ''}", run)
    for database in ("SQLite", "PostgreSQL"):
        run = partial(whole_gateway.set_ups, database=database)
        yield Measure(f"set-ups with ticket, policy and audit, {database}", run)
    yield Measure("click to first picture", whole_gateway.first_picture)
    yield Measure("office sessions", endurance.office)
    for secure in (False, True):
        suffix = ", TLS" if secure else ""
        for count in (1000, 3000):
            run = partial(endurance.idle, count=count, secure=secure)
            yield Measure(f"memory of {count:,} idle sessions{suffix}", run)
        yield Measure(f"stalled viewers{suffix}", partial(endurance.stalled, secure=secure))
        yield Measure(f"1,000 sessions at once{suffix}", partial(endurance.at_once, secure=secure))


def decisions() -> None:
    """Policy and BCP mode: no relay, no peer; tables of their own."""
    print("\n## Decisions\n", flush=True)
    policy_bench.main()
    for part in (bcp, bcp_effect):
        print(flush=True)
        part.main()


def pages() -> None:
    """Open pages beside everything else; a table of its own, too."""
    print("\n## Open pages\n", flush=True)
    open_pages.main()


OWN_TABLES: Final[Mapping[str, Callable[[], None]]] = {"decisions": decisions, "open pages": pages}


def files_allowed() -> int:
    """Raise the limit of open files as far as needed and permitted; the children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure against the goals, and against websockify 0.13 on the same recorded TigerVNC stream.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="what to measure")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each comparison (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a round (default: %(default)s)")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop", help="our relay's event loop")
    parser.add_argument("--recording", type=Path, help="a stream to use, or to make when the file is missing")
    return parser.parse_args()


def main() -> int:
    """See the module's text."""
    chosen = options()
    known = [measure for measure in measures() if _wanted(measure.name, chosen.only)]
    tables = [name for name in OWN_TABLES if _wanted(name, chosen.only)]
    if chosen.list:
        print("\n".join([*(measure.name for measure in known), *tables]))
        return 0
    if not known and not tables:
        print(f"nothing is called {chosen.only}; see --list", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every program is ended
    if files_allowed() < FILES:
        print(
            f"only {files_allowed()} open files are allowed: raise the hard limit for 3,000 sessions", file=sys.stderr
        )
    try:
        if known:
            _compare(chosen, known)
        for name in tables:
            OWN_TABLES[name]()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _wanted(name: str, only: list[str]) -> bool:
    return not only or any(part.lower() in name.lower() for part in only)


def _compare(chosen: argparse.Namespace, known: list[Measure]) -> None:
    with tempfile.TemporaryDirectory(prefix="kkbench") as name:
        folder = Path(name)
        recording = chosen.recording or folder / "stream.rfb"
        if not recording.exists() or not ends_file(recording).exists():
            print("recording a TigerVNC stream ...", file=sys.stderr, flush=True)
            record(recording)
        setting = relay.Setting(
            recording,
            certificates(folder),
            rounds=1 if chosen.quick else chosen.rounds,
            seconds=1.5 if chosen.quick else chosen.seconds,
            quick=chosen.quick,
            ours=OURS if chosen.loop == "uvloop" else f"{OURS}-asyncio",
        )
        print(f"{_circumstances(setting)}\n\n{HEADER}", flush=True)
        began = time.monotonic()
        for number, measure in enumerate(known, 1):
            print(
                f"[{number}/{len(known)}, {time.monotonic() - began:.0f} s] {measure.name}", file=sys.stderr, flush=True
            )
            for row in measure.run(setting):
                print(markdown(row), flush=True)


def _circumstances(setting: relay.Setting) -> str:
    """What a reader of the table must know of the run."""
    machine = (
        f"{psutil.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
    load = ", ".join(f"{part:.1f}" for part in psutil.getloadavg())
    return (
        f"{time.strftime('%Y-%m-%d')}, {machine}, stream of {setting.recording.stat().st_size / 1e6:.1f} MB, "
        f"{setting.rounds} rounds of {setting.seconds:g} s, ours: {setting.ours}, load before: {load}"
    )


if __name__ == "__main__":
    sys.exit(main())
