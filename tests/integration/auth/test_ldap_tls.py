"""The connection to the directory: what is believed, what is refused, and how long a dead or hung one may take."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from auth.directory import Unreachable, Verified
from auth.ldap_tls import ConnectFailed, TlsPump, client_context
from auth.settings import LdapEndpoint
from common.errors import ConfigError
from common.secret import Secret
from tests.integration.auth.conftest import Opener, ldap_settings
from tests.support.slapd import Slapd, run_slapd

PASSWORD = Secret("sato-pw-2026")
BOTH = pytest.mark.parametrize("security", ["ldaps", "starttls"])


@BOTH
async def test_wrong_ca_is_refused_and_named(staff: Slapd, directory: Opener, tmp_path: Path, security: str) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    result = await directory(staff, security=security, ca_file=stranger).authenticate("sato", PASSWORD)
    assert isinstance(result, Unreachable)
    assert "certificate refused: self-signed certificate in certificate chain" in result.cause.text


@BOTH
async def test_wrong_name_is_refused_and_named(tmp_path: Path, directory: Opener, security: str) -> None:
    with run_slapd(tmp_path / "slapd", names=("ldap.elsewhere.example",)) as slapd:
        result = await directory(slapd, security=security).authenticate("sato", PASSWORD)
    assert isinstance(result, Unreachable)
    assert "certificate is not valid for '127.0.0.1'" in result.cause.text


async def test_plain_needs_the_setting(staff: Slapd) -> None:
    with pytest.raises(ValueError, match="would send passwords in clear"):
        ldap_settings(staff, security="plain")


async def test_plain_on_loopback_with_the_setting(staff: Slapd, directory: Opener) -> None:
    opened = directory(staff, security="plain", insecure_loopback_test=True)
    assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)


async def test_plain_is_refused_for_any_other_address(staff: Slapd, directory: Opener) -> None:
    elsewhere = LdapEndpoint(host="192.0.2.1", port=389, security="plain")
    opened = directory(staff, servers=(elsewhere,), insecure_loopback_test=True)
    result = await opened.authenticate("sato", PASSWORD)
    assert isinstance(result, Unreachable)
    assert "unprotected LDAP is refused" in result.cause.text


def test_a_missing_ca_file_is_a_configuration_fault(staff: Slapd, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"auth\.ldap\.ca_file"):
        client_context(ldap_settings(staff, ca_file=tmp_path / "missing.pem"))


@BOTH
async def test_a_directory_that_hangs_after_accept_costs_one_server_timeout(
    own: Slapd, directory: Opener, security: str
) -> None:
    """LDAPS: no ServerHello ever. StartTLS: no answer to the request. The loop stays live meanwhile."""
    opened = directory(own, security=security)
    own.hang()
    longest = await _longest_pause_during(opened.authenticate("sato", PASSWORD))
    assert 2.5 < longest.total < 4.0
    assert longest.pause < 1.0, "a loop that waits for the server stands for three seconds"
    assert isinstance(longest.result, Unreachable)


@BOTH
async def test_a_hang_on_a_live_pooled_connection_is_found_too(own: Slapd, directory: Opener, security: str) -> None:
    opened = directory(own, security=security, probe_seconds=0.3)
    assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)
    own.hang()
    longest = await _longest_pause_during(opened.authenticate("sato", PASSWORD))
    assert isinstance(longest.result, Unreachable)
    assert longest.total < 4.0
    await opened.start()
    own.resume()
    for _ in range(40):
        if isinstance(await opened.authenticate("sato", PASSWORD), Verified):
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("the probe did not find it again")


@BOTH
async def test_three_hung_servers_end_within_the_login_budget(tmp_path: Path, directory: Opener, security: str) -> None:
    ca = trustme.CA()
    with (
        run_slapd(tmp_path / "a", ca=ca) as a,
        run_slapd(tmp_path / "b", ca=ca) as b,
        run_slapd(tmp_path / "c", ca=ca) as c,
    ):
        for slapd in (a, b, c):
            slapd.hang()
        opened = directory(a, b, c, security=security)
        longest = await _longest_pause_during(opened.authenticate("sato", PASSWORD))
        assert 7.0 < longest.total < 8.5
        assert isinstance(longest.result, Unreachable)
        # the breakers are open now: the next person is told at once
        began = time.monotonic()
        assert isinstance(await opened.authenticate("suzuki", PASSWORD), Unreachable)
        assert time.monotonic() - began < 0.5


async def test_forty_logins_at_a_hung_directory_all_end_within_the_budget(own: Slapd, directory: Opener) -> None:
    opened = directory(own)
    own.hang()
    began = time.monotonic()
    results = await asyncio.gather(*(opened.authenticate("sato", PASSWORD) for _ in range(40)))
    assert time.monotonic() - began < 8.5
    assert all(isinstance(result, Unreachable) for result in results)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", id="go ahead, then silence"),
        pytest.param(b"\x30", id="half a header"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_starttls_that_stops_half_way(directory: Opener, staff: Slapd, answer: bytes) -> None:
    with _bad_peer(answer) as port:
        hung = LdapEndpoint(host="127.0.0.1", port=port, security="starttls")
        began = time.monotonic()
        result = await directory(staff, servers=(hung,), server_timeout_seconds=1).authenticate("sato", PASSWORD)
        assert isinstance(result, Unreachable)
        assert 0.9 < time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x30\x84\x7f\xff\xff\xff", "answer too long"),
        (b"\x30\x80\x00\x00", "length form not allowed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not an LDAP message"),
        (b"\x30\x0f\x02\x01\x01\x78\x0a\x0a\x01\x02\x04\x00\x04\x03no!", "StartTLS refused with code 2: no!"),
    ],
)
async def test_starttls_answers_that_make_no_sense(directory: Opener, staff: Slapd, answer: bytes, reason: str) -> None:
    with _bad_peer(answer) as port:
        peer = LdapEndpoint(host="127.0.0.1", port=port, security="starttls")
        result = await directory(staff, servers=(peer,)).authenticate("sato", PASSWORD)
    assert isinstance(result, Unreachable)
    assert reason in result.cause.text


async def test_bytes_slipped_in_before_tls_are_not_believed_after_it(directory: Opener, staff: Slapd) -> None:
    """A bind answer in clear right behind the go-ahead is read as a TLS record, and refused."""
    go_ahead = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
    bind_accepted = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
    with _bad_peer(go_ahead + bind_accepted) as port:
        peer = LdapEndpoint(host="127.0.0.1", port=port, security="starttls")
        result = await directory(staff, servers=(peer,)).authenticate("sato", PASSWORD)
    assert isinstance(result, Unreachable)
    assert "TLS failed" in result.cause.text


async def test_half_an_ldap_message_does_not_hold_the_thread(directory: Opener, staff: Slapd) -> None:
    """Inside a message libldap must still obey its timeout."""
    with _bad_peer(b"\x30\x0c\x02\x01") as port:
        peer = LdapEndpoint(host="127.0.0.1", port=port, security="plain")
        opened = directory(staff, servers=(peer,), insecure_loopback_test=True, server_timeout_seconds=1)
        began = time.monotonic()
        assert isinstance(await opened.authenticate("sato", PASSWORD), Unreachable)
        assert time.monotonic() - began < 2.0


def test_no_descriptor_and_no_thread_is_left(staff: Slapd) -> None:
    settings = ldap_settings(staff)
    before = len(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    pump = TlsPump(client_context(settings))
    links = [pump.connect(settings.servers[0], 3.0) for _ in range(10)]
    closed_port = LdapEndpoint(host="127.0.0.1", port=1)
    for _ in range(5):
        with pytest.raises(ConnectFailed, match="Connect call failed"):
            pump.connect(closed_port, 3.0)
    for link in links[:5]:
        link.close()
    pump.close()
    for link in links[5:]:
        assert link.recv(1) == b""
        link.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() <= threads + 2  # the two name look-up threads may be on their way out
    with pytest.raises(ConnectFailed, match="closed"):
        pump.connect(settings.servers[0], 3.0)


async def test_closing_frees_threads_that_wait_for_a_hung_directory(own: Slapd, directory: Opener) -> None:
    opened = directory(own)
    own.hang()
    waiting = asyncio.gather(*(opened.authenticate("sato", PASSWORD) for _ in range(3)))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await opened.close()
    assert time.monotonic() - began < 2.0
    assert all(isinstance(result, Unreachable) for result in await waiting)


class _Watched:
    def __init__(self) -> None:
        self.result: object = None
        self.total = 0.0
        self.pause = 0.0


async def _longest_pause_during(work: object) -> _Watched:
    """Await `work`; say how long it took and what the longest stall of the event loop was."""
    watched = _Watched()
    began = last = time.monotonic()
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]  # any awaitable of the tests
    while not task.done():
        await asyncio.sleep(0.02)
        now = time.monotonic()
        watched.pause = max(watched.pause, now - last)
        last = now
    watched.total = time.monotonic() - began
    watched.result = task.result()
    return watched


@contextmanager
def _bad_peer(answer: bytes) -> Iterator[int]:
    """Accepts, waits for a first request, sends `answer`, then says nothing more and keeps the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            kept.append(connection)
            connection.recv(4096)
            if answer:
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in kept:
            connection.close()
