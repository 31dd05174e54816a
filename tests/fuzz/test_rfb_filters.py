"""The corpus of real streams passes, and a few thousand mutations of it break nothing: bounded, for every test run."""

from collections.abc import Iterator

import pytest

from gateway.rfb.encodings import FRAMED_ENCODINGS
from gateway.rfb.rules import RfbRules
from tests.fuzz.rfb_filters import RULES, VIEWER_SEEDS, check, check_target, check_viewer, corpus

MUTATIONS = 300
STEPS = (1, 7, 100, 1460, 8192, 65536)


class Dice:
    """A small reproducible generator (xorshift), so that a failure can be run again."""

    def __init__(self, seed: int) -> None:
        self._state = seed or 1

    def below(self, bound: int) -> int:
        """A number from 0 to bound - 1."""
        state = self._state
        state ^= (state << 13) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 7
        state ^= (state << 17) & 0xFFFFFFFFFFFFFFFF
        self._state = state
        return state % bound


def mutations(stream: bytes, dice: Dice, count: int) -> Iterator[bytes]:
    """Flipped, cut, doubled and overwritten copies; most changes near the front, where headers are."""
    for _ in range(count):
        changed = bytearray(stream)
        for _ in range(1 + dice.below(4)):
            at = dice.below(min(len(changed), 1 + dice.below(len(changed)) + 8))
            kind = dice.below(5)
            if kind == 0:
                changed[at] ^= 1 << dice.below(8)
            elif kind == 1:
                changed[at] = (0, 1, 127, 128, 255)[dice.below(5)]
            elif kind == 2:
                del changed[at : at + 1 + dice.below(20)]
            elif kind == 3:
                changed[at:at] = changed[at : at + 1 + dice.below(40)]
            else:
                changed[at : at + 4] = bytes(dice.below(256) for _ in range(4))
            if not changed:
                changed += b"\0"
        yield bytes(changed)


@pytest.mark.parametrize(("width", "height", "stream"), [pytest.param(*rest, id=name) for name, *rest in corpus()])
def test_real_streams_pass_at_every_chunk_size(width: int, height: int, stream: bytes) -> None:
    everything = RfbRules(encodings=FRAMED_ENCODINGS, clipboard_in_chars=1000, clipboard_out_chars=1000)
    assert check_target(stream, everything, STEPS, width, height) == ""


def test_the_corpus_has_every_encoding() -> None:
    names = {name.split("-")[1] for name, *_ in corpus()}
    assert names == {"rre", "corre", "hextile", "zlib", "tight", "zrle", "tightpng"}
    assert sum(len(stream) for *_, stream in corpus()) < 300_000


@pytest.mark.parametrize(("width", "height", "stream"), [pytest.param(*rest, id=name) for name, *rest in corpus()])
def test_mutated_target_streams(width: int, height: int, stream: bytes) -> None:
    dice = Dice(len(stream))
    for number, changed in enumerate(mutations(stream, dice, MUTATIONS)):
        check_target(changed, RULES[number % 3], (31, 1 + dice.below(4000), len(changed)), width, height)


def test_mutated_viewer_streams() -> None:
    dice = Dice(7)
    for seed in VIEWER_SEEDS:
        for number, changed in enumerate(mutations(seed, dice, 600)):
            check_viewer(changed, RULES[number % 3], (1, 5, len(changed)))


def test_the_fuzz_target_takes_seeds() -> None:
    for seed in (b"", b"RFB 003.008\n\2\2\x13", *VIEWER_SEEDS):
        check(seed)
