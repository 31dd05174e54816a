"""Fuzz target of the wire filter. Counterparts: tests/fuzz/corpus, tests/fuzz/test_rfb_filters.py (bounded).

As a program, for hours: `python -m tests.fuzz.rfb_filters tests/fuzz/corpus -max_total_time=3600` (atheris, libFuzzer
options). An input is checked as a target's stream and as a viewer's; what must hold is in `check`.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Final

from gateway.rfb.encodings import FRAMED_ENCODINGS
from gateway.rfb.errors import LimitExceeded, TargetProtocolError, ViewerProtocolError
from gateway.rfb.handshake import TargetHandshake, TargetLogin, ViewerHandshake
from gateway.rfb.link import RfbLink
from gateway.rfb.rules import MAX_CLIPBOARD_CHARS, RfbRules
from gateway.rfb.target_filter import MAX_TAIL, TargetFilter
from gateway.rfb.viewer_filter import ViewerFilter
from tests.support import rfb_bytes as rfb

CORPUS: Final = Path(__file__).parent / "corpus"
BOUND: Final = 4 * MAX_CLIPBOARD_CHARS + 2048
RULES: Final = (
    RfbRules(encodings=FRAMED_ENCODINGS),
    RfbRules(encodings=FRAMED_ENCODINGS, clipboard_in_chars=1000, clipboard_out_chars=1000),
    RfbRules(view_only=True, allow_resize=False),
)
VIEWER_SEEDS: Final = (
    rfb.encodings(7, 16, 0, -239, -316, -1063131698) + rfb.request() + rfb.key() + rfb.pointer(),
    rfb.qemu_key() + rfb.fence(b"abcd", 3) + rfb.resize(800, 600) + b"\x96\1" + bytes(8) + rfb.pointer(mask=128),
    rfb.cut_text(b"text", 6) + rfb.provide("本文".encode() + b"\0", 6) + rfb.extended(1 << 24 | 1, bytes(4), 6),
)


def corpus() -> Iterator[tuple[str, int, int, bytes]]:
    """Name, framebuffer size and stream of every captured file."""
    for path in sorted(CORPUS.glob("*.rfb")):
        width, _, height = path.stem.rpartition("-")[2].partition("x")
        yield path.stem, int(width), int(height), path.read_bytes()


def _link(rules: RfbRules, width: int, height: int) -> RfbLink:
    link = RfbLink(width, height, rules)
    link.fences.append(b"abcd")
    return link


def _run(filtered: TargetFilter | ViewerFilter, stream: bytes, step: int) -> tuple[bytes, str]:
    out = bytearray()
    for at in range(0, len(stream), step):
        for part in filtered.feed(stream[at : at + step]):
            out += part
        assert filtered.held_bytes <= BOUND
    if isinstance(filtered, TargetFilter):
        assert len(filtered.tail) <= MAX_TAIL
        assert isinstance(filtered.error, TargetProtocolError | LimitExceeded | None)
    else:
        assert isinstance(filtered.error, ViewerProtocolError | LimitExceeded | None)
    return bytes(out), filtered.error.reason if filtered.error else ""


def check_target(stream: bytes, rules: RfbRules, steps: tuple[int, ...], width: int = 640, height: int = 480) -> str:
    """Only documented errors, bounded memory, the same result for every chunk size. Returns the error's reason."""
    results = {_run(TargetFilter(_link(rules, width, height)), stream, step) for step in steps}
    assert len(results) == 1
    ((out, reason),) = results
    assert len(out) <= len(stream) + 64
    return reason


def check_viewer(stream: bytes, rules: RfbRules, steps: tuple[int, ...]) -> str:
    """The same for the other direction; and what comes out passes again."""
    results = {_run(ViewerFilter(_link(rules, 640, 480)), stream, step) for step in steps}
    assert len(results) == 1
    ((out, reason),) = results
    again = _run(ViewerFilter(_link(rules, 640, 480)), out, max(1, len(out)))
    assert again == (out, "")
    return reason


def check(stream: bytes) -> None:
    """One fuzzer input, everywhere."""
    rules, steps = RULES[len(stream) % 3], (1 + len(stream) % 40, max(1, len(stream)))
    check_target(stream, rules, steps)
    check_viewer(stream, rules, steps)
    target = TargetHandshake(TargetLogin("user", "password", allow_anonymous_tls=True), RULES[0])
    target.feed(stream)
    assert isinstance(target.error, TargetProtocolError | LimitExceeded | None)
    viewer = ViewerHandshake(640, 480, "fuzz")
    viewer.feed(stream)
    assert isinstance(viewer.error, ViewerProtocolError | None)


def _instrument(instrument: Callable[[object], object], thing: object) -> None:
    """Watch the branches of a function, or of a class's methods; everything else only costs time."""
    for member in vars(thing).values() if isinstance(thing, type) else (thing,):
        if isinstance(member, FunctionType):
            instrument(member)


def main() -> None:
    """Hand over to libFuzzer."""
    import atheris

    for module in [module for name, module in sys.modules.items() if name.startswith("gateway.rfb.")]:
        for thing in [thing for thing in vars(module).values() if getattr(thing, "__module__", "") == module.__name__]:
            _instrument(atheris.instrument_func, thing)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
