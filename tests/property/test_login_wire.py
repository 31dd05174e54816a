"""The bytes of StartTLS: any answer gives a result or WireError, and nothing is read beyond the limits."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from auth.ldap_wire import (
    HEADER_BYTES,
    MAX_RESPONSE,
    STARTTLS_REQUEST,
    WireError,
    body_length,
    length_bytes,
    starttls_result,
)


def element(tag: int, content: bytes, *, long: bool = False) -> bytes:
    size = len(content)
    if long or size > 127:
        return bytes([tag, 0x82]) + size.to_bytes(2, "big") + content
    return bytes([tag, size]) + content


def response(code: int, text: bytes, *, long: bool = False) -> bytes:
    inner = element(0x0A, bytes([code])) + element(0x04, b"") + element(0x04, text, long=long)
    return element(0x30, element(0x02, b"\x01") + element(0x78, inner, long=long), long=long)


def test_the_request_is_well_formed() -> None:
    assert STARTTLS_REQUEST[1] == len(STARTTLS_REQUEST) - 2
    assert STARTTLS_REQUEST.endswith(b"1.3.6.1.4.1.1466.20037")


@given(st.integers(0, 127), st.text(max_size=300), st.booleans())
def test_well_formed_answers_are_read(code: int, text: str, long: bool) -> None:
    raw = response(code, text.encode(), long=long)
    extra = length_bytes(raw[:HEADER_BYTES])
    length = body_length(raw[:HEADER_BYTES], raw[HEADER_BYTES : HEADER_BYTES + extra])
    body = raw[HEADER_BYTES + extra :]
    assert length == len(body)
    assert starttls_result(body) == (code, text)


@given(st.binary(min_size=2, max_size=2), st.binary(max_size=4))
def test_any_header_is_bounded_or_refused(header: bytes, more: bytes) -> None:
    with contextlib.suppress(WireError):
        count = length_bytes(header)
        assert 0 <= count <= 4
        assert body_length(header, more[:count]) <= MAX_RESPONSE


@given(st.binary(max_size=200))
def test_any_body_gives_a_result_or_a_wire_error(body: bytes) -> None:
    with contextlib.suppress(WireError):
        code, text = starttls_result(body)
        assert isinstance(code, int)
        assert isinstance(text, str)


@given(st.integers(0, 200), st.integers(0, 50), st.integers(0, 255))
def test_a_damaged_answer_never_escapes(position: int, cut: int, value: int) -> None:
    raw = bytearray(response(0, b"go ahead"))[2:]
    raw[position % len(raw)] = value
    with contextlib.suppress(WireError):
        starttls_result(bytes(raw[: len(raw) - cut] if cut else raw))
