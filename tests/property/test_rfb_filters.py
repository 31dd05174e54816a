"""Properties of the wire filter: splits change nothing, only documented errors, no leak past a rule, bounded memory."""

import struct
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rfb import encodings as enc
from gateway.rfb.errors import LimitExceeded, ProtocolError, TargetProtocolError, ViewerProtocolError
from gateway.rfb.handshake import TargetHandshake, TargetLogin, ViewerHandshake
from gateway.rfb.link import RfbEvent, RfbLink
from gateway.rfb.rules import MAX_CLIPBOARD_CHARS, RfbRules
from gateway.rfb.target_filter import MAX_TAIL, TargetFilter
from gateway.rfb.viewer_filter import ViewerFilter
from tests.support import rfb_bytes as rfb

SECRET = b"SECRET-TEXT"
BOUND = 4 * MAX_CLIPBOARD_CHARS + 2048

rules = st.builds(
    RfbRules,
    view_only=st.booleans(),
    clipboard_in_chars=st.sampled_from([0, 5, 1000, 10**9]),
    clipboard_out_chars=st.sampled_from([0, 5, 1000, 10**9]),
    allow_resize=st.booleans(),
    max_quality=st.integers(0, 9),
    encodings=st.sampled_from([enc.BROWSER_ENCODINGS, enc.FRAMED_ENCODINGS]),
)
small = st.integers(0, 700)
flags = st.integers(0, 0xFFFFFFFF)
noise = st.binary(max_size=60)
texts = st.one_of(
    st.binary(max_size=30).map(lambda text: SECRET + text), st.text(max_size=20).map(lambda text: text.encode() + b"\0")
)


def whole_texts(kind: int) -> st.SearchStrategy[bytes]:
    """Clipboard messages of either side, honest and forged inside, of the length they state."""
    return st.one_of(
        texts.map(lambda text: rfb.cut_text(text, kind)),
        st.builds(lambda text, size: rfb.provide(text, kind, size=size), texts, st.sampled_from([None, 3, 1 << 31])),
        st.builds(lambda bits, body: rfb.extended(bits, body, kind), flags, noise),
        st.builds(lambda bits, body: rfb.extended(1 << bits | 1, body, kind), st.integers(24, 28), noise),
    )


def texts_of(kind: int) -> st.SearchStrategy[bytes]:
    """The same, and headers that state anything."""
    anything = st.integers(-(1 << 31), (1 << 31) - 1)
    return st.one_of(whole_texts(kind), st.builds(lambda size: struct.pack(">Bxxxi", kind, size), anything))


viewer_messages = st.one_of(
    st.builds(rfb.pointer, small, small, st.integers(0, 255), st.one_of(st.none(), st.integers(0, 255))),
    st.builds(lambda keysym: rfb.key(keysym), flags),
    st.builds(lambda keysym: rfb.qemu_key(keysym), flags),
    st.builds(rfb.request, small, small, small, small, st.integers(0, 255)),
    st.lists(st.sampled_from([0, 1, 7, 16, 5, -223, -307, -316, enc.EXTENDED_CLIPBOARD, 99]), max_size=20).map(
        lambda numbers: rfb.encodings(*numbers)
    ),
    st.builds(lambda payload, bits: rfb.fence(payload, bits), st.binary(max_size=70), flags),
    st.builds(rfb.resize, small, small, st.integers(0, 2)),
    st.just(b"\0" * 20),
    st.just(b"\xfa\0\1\2"),
    st.builds(lambda area: b"\x96\1" + area, st.binary(min_size=8, max_size=8)),
    texts_of(6),
    noise,
)

payloads = st.one_of(
    st.just(b""),
    noise,
    st.builds(lambda control, rest: bytes((control,)) + rest, st.integers(0, 255), noise),
    st.builds(lambda size, rest: struct.pack(">I", size) + rest, st.integers(0, 300), st.binary(max_size=300)),
)
rectangles = st.builds(
    lambda encoding, payload, width, height: rfb.rectangle(encoding, payload, width=width, height=height),
    st.sampled_from([*sorted(enc.FRAMED_ENCODINGS)[-16:], 0, 1, 2, 4, 5, 6, 7, 16, -223, -224, -239, -308, -314, 77]),
    payloads,
    st.integers(0, 40),
    st.integers(0, 40),
)
target_messages = st.one_of(
    st.lists(rectangles, max_size=4).map(lambda parts: rfb.update(*parts)),
    st.builds(lambda pixels: rfb.update(rfb.rectangle(0, pixels * 4, width=len(pixels), height=1)), noise),
    st.just(b"\2"),
    st.just(b"\x96"),
    st.just(b"\xfa\0\1\1"),
    st.builds(lambda payload, bits: rfb.fence(payload, bits), st.binary(max_size=70), flags),
    texts_of(3),
    noise,
)

no_deadline = settings(deadline=None)  # a shared machine may pause any example
cuts = st.lists(st.integers(0, 2000), max_size=12)
states = st.tuples(st.booleans(), st.booleans(), st.booleans())
Outcome = tuple[bytes, type[ProtocolError] | None, str, list[RfbEvent]]


def link(chosen: RfbRules, state: tuple[bool, bool, bool] = (False, False, False)) -> RfbLink:
    """Shared state with some confirmations and one open fence."""
    made = rfb.link(rules=chosen)
    made.extended_mouse, made.extended_key, made.continuous_updates = state
    made.fences.append(b"fence")
    return made


def pieces(stream: bytes, at: list[int]) -> list[bytes]:
    """The stream cut at these places."""
    edges = [0, *sorted(min(place, len(stream)) for place in at), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def outcome(filtered: ViewerFilter | TargetFilter, shared: RfbLink, chunks: list[bytes]) -> Outcome:
    """What comes out in all, the error, and the events; checks the bound after every chunk."""
    out = b""
    for chunk in chunks:
        out += b"".join(bytes(part) for part in filtered.feed(chunk))
        assert filtered.held_bytes <= BOUND
        if isinstance(filtered, TargetFilter):
            assert len(filtered.tail) <= MAX_TAIL
    error = filtered.error
    return out, None if error is None else type(error), "" if error is None else error.reason, shared.drain()


@no_deadline
@given(st.lists(viewer_messages, max_size=12), rules, states, cuts)
def test_viewer_splits_change_nothing(
    messages: list[bytes], chosen: RfbRules, state: tuple[bool, bool, bool], at: list[int]
) -> None:
    stream = b"".join(messages)
    whole, split = link(chosen, state), link(chosen, state)
    first = outcome(ViewerFilter(whole), whole, [stream])
    assert outcome(ViewerFilter(split), split, pieces(stream, at)) == first
    assert first[1] in (None, ViewerProtocolError, LimitExceeded)


@no_deadline
@given(st.lists(target_messages, max_size=12), rules, cuts)
def test_target_splits_change_nothing(messages: list[bytes], chosen: RfbRules, at: list[int]) -> None:
    stream = b"".join(messages)
    whole, split = link(chosen), link(chosen)
    first = outcome(TargetFilter(whole), whole, [stream])
    assert outcome(TargetFilter(split), split, pieces(stream, at)) == first
    assert first[1] in (None, TargetProtocolError, LimitExceeded)


@no_deadline
@given(st.lists(viewer_messages, max_size=12), rules, states)
def test_what_leaves_the_viewer_filter_passes_it_again(
    messages: list[bytes], chosen: RfbRules, state: tuple[bool, bool, bool]
) -> None:
    """Idempotence: everything that goes out is a whole, allowed message. Fences are used up, so they are taken out."""
    first = link(chosen, state)
    first.fences.clear()
    out = b"".join(ViewerFilter(first).feed(b"".join(messages)))
    again = link(chosen, state)
    repeated = ViewerFilter(again)
    assert b"".join(repeated.feed(out)) == out
    assert repeated.error is None
    assert repeated.held_bytes == 0


def kinds(stream: bytes) -> list[int]:
    """Types of the messages toward a target without confirmed extensions; an independent, tiny walk."""
    found = []
    while stream:
        found.append(stream[0])
        if stream[0] == 2:
            size = 4 + 4 * int.from_bytes(stream[2:4], "big")
        elif stream[0] == 6:
            size = 8 + abs(int.from_bytes(stream[4:8], "big", signed=True))
        elif stream[0] == 248:
            size = 9 + stream[8]
        else:
            size = {3: 10, 4: 8, 5: 6, 150: 10, 251: 24, 255: 12}[stream[0]]
        assert len(stream) >= size
        stream = stream[size:]
    return found


@no_deadline
@given(st.lists(viewer_messages, max_size=12), rules)
def test_view_only_emits_no_input_and_closed_clipboard_no_text(messages: list[bytes], chosen: RfbRules) -> None:
    shared = link(chosen)
    viewer = ViewerFilter(shared)
    out = b"".join(viewer.feed(b"".join(messages)))
    seen = set(kinds(out))
    assert seen <= {2, 3, 4, 5, 6, 150, 248, 251, 255}
    if chosen.view_only:
        assert not seen & {4, 5, 251, 255}
    if not chosen.clipboard:
        assert 6 not in seen
    if not chosen.clipboard_in_chars:
        assert SECRET not in out


@no_deadline
@given(st.lists(st.one_of(st.just(b"\2"), whole_texts(3)), max_size=12), rules, cuts)
def test_a_closed_clipboard_lets_no_text_out(messages: list[bytes], chosen: RfbRules, at: list[int]) -> None:
    shared = link(RfbRules(clipboard_in_chars=chosen.clipboard_in_chars))
    out, *_ = outcome(TargetFilter(shared), shared, pieces(b"".join(messages), at))
    assert SECRET not in out
    if not chosen.clipboard_in_chars:
        assert set(out) <= {2}


@no_deadline
@given(st.binary(max_size=300), cuts)
def test_handshakes_take_anything(stream: bytes, at: list[int]) -> None:
    for prefix in (b"", b"RFB 003.008\n", b"RFB 003.008\n\1\1\0\0\0\0", b"RFB 003.008\n\2\2\x13\0\2\0\1\0\0\1\5\1"):
        results = []
        for chunks in ([prefix + stream], pieces(prefix + stream, at)):
            login = TargetLogin(username="u", password="p", allow_anonymous_tls=True)
            target = TargetHandshake(login, RfbRules())
            said = b"".join(target.feed(chunk) for chunk in chunks)
            results.append((said, target.done, type(target.error), target.width, target.need_tls))
            assert isinstance(target.error, ProtocolError | None)
        if results[0][4] is None and results[1][4] is None:  # bytes before TLS are an error wherever they come
            assert results[0] == results[1]
        viewer = ViewerHandshake(1, 1, "x")
        viewer.feed(prefix + stream)
        assert isinstance(viewer.error, ViewerProtocolError | None)


@no_deadline
@given(rules, rules, st.lists(viewer_messages, max_size=6), st.lists(viewer_messages, max_size=6))
def test_rules_that_change_act_on_every_later_message(
    before: RfbRules, after: RfbRules, early: list[bytes], late: list[bytes]
) -> None:
    shared = link(before)
    viewer = ViewerFilter(shared)
    viewer.feed(b"".join(early))
    if viewer.error is None and not viewer.held_bytes:
        told = b"".join(viewer.set_rules(after))
        assert set(kinds(told)) <= {2}
        seen = set(kinds(b"".join(viewer.feed(b"".join(late)))))
        if after.view_only:
            assert not seen & {4, 5, 251, 255}
        if not after.clipboard:
            assert 6 not in seen
