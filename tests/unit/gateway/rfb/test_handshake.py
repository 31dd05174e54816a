"""Both opening conversations, version by version and security type by security type."""

import struct

import pytest

from gateway.rfb.des import vnc_response
from gateway.rfb.errors import (
    LimitExceeded,
    ProtocolError,
    TargetLoginRefused,
    TargetProtocolError,
    ViewerProtocolError,
)
from gateway.rfb.handshake import NeedTls, TargetHandshake, TargetLogin, ViewerHandshake
from gateway.rfb.rules import RfbRules
from gateway.rfb.viewer_filter import PIXEL_FORMAT

INIT = struct.pack(">HH", 800, 600) + b"\x20\x18\0\xff" + b"\0" * 12 + struct.pack(">I", 3) + b"box"
PASSWORD = TargetLogin(password="secret12")
USER = TargetLogin(username="hanako", password="ひみつ")


def talk(login: TargetLogin, *says: bytes, rules: RfbRules | None = None) -> tuple[TargetHandshake, bytes]:
    """Feed byte by byte; returns the conversation and all that we said."""
    target = TargetHandshake(login, rules or RfbRules())
    said = b""
    for text in says:
        for at in range(len(text)):
            said += target.feed(text[at : at + 1])
    return target, said


def refusal(login: TargetLogin, *says: bytes, rules: RfbRules | None = None) -> ProtocolError:
    target, _ = talk(login, *says, rules=rules)
    assert target.error is not None
    assert not target.done
    assert target.feed(b"more") == b""
    return target.error


def test_the_viewer_is_offered_3_8_none_our_format_and_our_label() -> None:
    viewer = ViewerHandshake(800, 600, "経理 <b>")
    assert viewer.feed(b"") == b"RFB 003.008\n"
    assert viewer.feed(b"RFB 003.008\n") == b"\1\1"
    assert viewer.feed(b"\1") == b"\0\0\0\0"
    label = "経理 <b>".encode()
    assert viewer.feed(b"\0rest") == struct.pack(">HH", 800, 600) + PIXEL_FORMAT + struct.pack(">I", 10) + label
    assert viewer.done
    assert viewer.rest == b"rest"


@pytest.mark.parametrize("says", [b"RFB 003.003\n", b"GET / HTTP/1.1\r\n", b"RFB 003.008\n\2"])
def test_a_viewer_that_says_anything_else_is_refused(says: bytes) -> None:
    viewer = ViewerHandshake(1, 1, "x")
    viewer.feed(says)
    assert isinstance(viewer.error, ViewerProtocolError)


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        (b"RFB 003.008\n", b"RFB 003.008\n"),
        (b"RFB 003.889\n", b"RFB 003.008\n"),
        (b"RFB 005.000\n", b"RFB 003.008\n"),
        (b"RFB 004.001\n", b"RFB 003.008\n"),
    ],
)
def test_3_8_and_newer_without_password(version: bytes, answer: bytes) -> None:
    target, said = talk(TargetLogin(), version, b"\1\1", b"\0\0\0\0", INIT)
    assert said == answer + b"\1" + b"\1"
    assert target.done
    assert (target.width, target.height, target.name) == (800, 600, b"box")


def test_3_7_and_3_3_have_no_result_for_none() -> None:
    target, said = talk(TargetLogin(), b"RFB 003.007\n", b"\2\2\1", INIT)
    assert (target.done, said) == (True, b"RFB 003.007\n\1\1")
    for version in (b"RFB 003.003\n", b"RFB 003.005\n", b"RFB 003.006\n"):
        target, said = talk(TargetLogin(), version, struct.pack(">I", 1), INIT)
        assert (target.done, said) == (True, b"RFB 003.003\n\1")


def test_vnc_authentication() -> None:
    challenge = bytes(range(16))
    for version, offer, choice in (
        (b"RFB 003.008\n", b"\2\1\2", b"\2"),
        (b"RFB 003.003\n", struct.pack(">I", 2), b""),
    ):
        target, said = talk(PASSWORD, version, offer, challenge, b"\0\0\0\0", INIT)
        assert target.done
        assert said == version + choice + vnc_response(challenge, "secret12") + b"\1"


def test_the_des_answer_matches_the_known_vector() -> None:
    # With the fixed key of vncpasswd files as password, the file form of "secret12" (components.md): D(file) = text.
    key = bytes((23, 82, 107, 6, 35, 78, 88, 7)).decode("latin-1")
    assert vnc_response(b"secret12" * 2, key)[:8].hex() == "24b5ae4ce15503c6"
    assert vnc_response(b"x" * 16, "secret12") == vnc_response(b"x" * 16, "secret12345")


def test_refusals_carry_the_targets_words_as_detail_only() -> None:
    reason = struct.pack(">I", 4) + b"nope"
    for says in (
        (b"RFB 003.008\n", b"\0", reason),
        (b"RFB 003.003\n", b"\0\0\0\0", reason),
        (b"RFB 003.008\n", b"\1\2", b"c" * 16, b"\0\0\0\1", reason),
    ):
        error = refusal(PASSWORD, *says)
        assert isinstance(error, TargetLoginRefused)
        assert "nope" not in error.reason
        assert error.detail == "nope"
    assert isinstance(refusal(PASSWORD, b"RFB 003.007\n", b"\1\2", b"c" * 16, b"\0\0\0\1"), TargetLoginRefused)


def test_security_types_are_taken_as_the_login_allows() -> None:
    clear_forbidden = TargetLogin(password="x", allow_vnc_auth=False, allow_none=False)
    for login, offer in ((clear_forbidden, b"\2\1\2"), (TargetLogin(), b"\1\2"), (PASSWORD, b"\2\5\x10")):
        assert isinstance(refusal(login, b"RFB 003.008\n", offer), TargetLoginRefused)
    _, said = talk(PASSWORD, b"RFB 003.008\n", b"\3\1\x10\2")
    assert said.endswith(b"\2")
    only_vnc_auth = TargetLogin(password="x", allow_x509=False, allow_none=False)
    assert isinstance(refusal(only_vnc_auth, b"RFB 003.008\n", b"\1\1"), TargetLoginRefused), "talked down to none"
    _, said = talk(only_vnc_auth, b"RFB 003.008\n", b"\2\x13\2")
    assert said.endswith(b"\2")


def vencrypt(*subtypes: int) -> tuple[bytes, ...]:
    listed = struct.pack(f">B{len(subtypes)}I", len(subtypes), *subtypes)
    return b"RFB 003.008\n", b"\2\2\x13", b"\0\2", b"\0", listed, b"\1"


@pytest.mark.parametrize(
    ("login", "offered", "taken", "inner"),
    [
        (PASSWORD, (258, 260, 261, 262), 261, True),
        (USER, (258, 260, 261, 262), 262, False),
        (TargetLogin(), (260, 261), 260, False),
        (TargetLogin(password="x", allow_anonymous_tls=True), (257, 258), 258, True),
        (TargetLogin(password="x", allow_anonymous_tls=True), (258, 261), 261, True),
    ],
)
def test_vencrypt_takes_the_best_subtype(login: TargetLogin, offered: tuple[int, ...], taken: int, inner: bool) -> None:
    target, said = talk(login, *vencrypt(*offered))
    assert said == b"RFB 003.008\n\x13\0\2" + struct.pack(">I", taken)
    assert target.need_tls == NeedTls(anonymous=taken < 260)
    said = target.tls_started()
    if inner:
        said += target.feed(b"c" * 16)
        assert said == vnc_response(b"c" * 16, login.password or "")
    elif taken == 262:
        assert said == struct.pack(">II", 6, 9) + b"hanako" + "ひみつ".encode()
    else:
        assert said == b""
    assert target.feed(b"\0\0\0\0" + INIT) == b"\1"
    assert target.done


def test_vencrypt_without_an_allowed_subtype_is_refused() -> None:
    for login, offered in ((PASSWORD, (257, 258, 259)), (TargetLogin(), (261, 262)), (USER, (256, 263))):
        assert isinstance(refusal(login, *vencrypt(*offered)[:-1]), TargetLoginRefused)
    assert isinstance(refusal(PASSWORD, *vencrypt()[:2], b"\0\1"), TargetProtocolError)
    assert isinstance(refusal(PASSWORD, *vencrypt()[:3], b"\1"), TargetLoginRefused)
    assert isinstance(refusal(PASSWORD, *vencrypt(261)[:-1], b"\0"), TargetLoginRefused)


def test_clear_bytes_before_tls_are_an_error() -> None:
    target = TargetHandshake(PASSWORD, RfbRules())
    target.feed(b"".join(vencrypt(261)) + b"\0\0\0\0")
    assert isinstance(target.error, TargetProtocolError)


@pytest.mark.parametrize("says", [b"HTTP/1.1 200", b"RFB 002.008\n", b"RFB 00x.008\n", b"RFB 003:008\n"])
def test_what_is_not_rfb_is_refused(says: bytes) -> None:
    assert isinstance(refusal(TargetLogin(), says), TargetProtocolError)


def test_sizes_from_the_target_are_bounded() -> None:
    long_text = struct.pack(">I", 4097)
    opening = (b"RFB 003.008\n", b"\1\1", b"\0\0\0\0")
    assert isinstance(refusal(TargetLogin(), b"RFB 003.008\n", b"\0", long_text), LimitExceeded)
    assert isinstance(refusal(TargetLogin(), *opening, INIT[:20], long_text), LimitExceeded)
    assert isinstance(refusal(TargetLogin(), *opening, INIT[:20], rules=RfbRules(max_width=799)), LimitExceeded)


def test_the_password_is_not_printed() -> None:
    assert "secret12" not in repr(PASSWORD)
