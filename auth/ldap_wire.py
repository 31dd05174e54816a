"""The few LDAP bytes that we make and read ourselves: StartTLS (RFC 4511 4.14). Pure.

Counterpart: `auth/ldap_tls.py` sends and receives them before it starts TLS; everything after that is libldap's. Only
definite lengths up to `MAX_RESPONSE` are read, because an answer that comes before TLS is anybody's.
"""

from typing import Final

STARTTLS_REQUEST: Final = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
"""LDAPMessage 1, ExtendedRequest [APPLICATION 23] with the StartTLS OID."""
HEADER_BYTES: Final = 2
MAX_RESPONSE: Final = 4_096

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_ENUMERATED: Final = 0x0A
_EXTENDED_RESPONSE: Final = 0x78
_LONG_FORM: Final = 0x80


class WireError(Exception):
    """The bytes are not the answer to StartTLS."""


def length_bytes(header: bytes) -> int:
    """How many further bytes spell the length of the LDAPMessage that starts with these two. Raises WireError."""
    if len(header) != HEADER_BYTES or header[0] != _SEQUENCE:
        raise WireError("not an LDAP message")
    if not header[1] & _LONG_FORM:
        return 0
    count = header[1] & 0x7F
    if count not in (1, 2, 3, 4):
        raise WireError("length form not allowed")
    return count


def body_length(header: bytes, more: bytes) -> int:
    """The length of the message's body. Raises WireError above `MAX_RESPONSE`."""
    length = int.from_bytes(more, "big") if more else header[1]
    if length > MAX_RESPONSE:
        raise WireError("answer too long")
    return length


def starttls_result(body: bytes) -> tuple[int, str]:
    """Result code (0 = go ahead) and diagnostic text of the answer. Raises WireError."""
    _message_id, rest = _element(body, _INTEGER)
    response, _controls = _element(rest, _EXTENDED_RESPONSE)
    code, rest = _element(response, _ENUMERATED)
    _matched_dn, rest = _element(rest, 0x04)
    text, _rest = _element(rest, 0x04)
    return int.from_bytes(code, "big"), text.decode("utf-8", "replace")


def _element(source: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the element with this tag, and what follows it."""
    if len(source) < HEADER_BYTES or source[0] != tag:
        raise WireError(f"element {tag:#x} is missing")
    start, length = HEADER_BYTES, source[1]
    if length & _LONG_FORM:
        start += length & 0x7F
        length = int.from_bytes(source[HEADER_BYTES:start], "big")
    if start > len(source) or start + length > len(source):
        raise WireError("element is cut short")
    return source[start : start + length], source[start + length :]
