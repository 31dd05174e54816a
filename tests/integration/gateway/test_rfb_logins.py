"""Logins at real targets: VNC Authentication, VeNCrypt with and without certificates, by TigerVNC and QEMU."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from common.errors import TargetRefused
from gateway.rfb.handshake import TargetLogin
from gateway.rfb.rules import RfbRules
from gateway.target_connection import TargetConnection
from tests.support.qemu import run_qemu
from tests.support.relay_host import relay_host, tcp_target, unix_target
from tests.support.rfb_viewer import websocket_viewer
from tests.support.tls import client_context
from tests.support.xvnc import run_xvnc

PASSWORD = "secret12"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """The form that TigerVNC reads."""
    path = tmp_path / "password"
    done = subprocess.run(["tigervncpasswd", "-f"], input=PASSWORD.encode() + b"\n", capture_output=True, check=True)
    path.write_bytes(done.stdout)
    return path


@pytest.fixture
def authority() -> trustme.CA:
    """A throwaway CA."""
    return trustme.CA()


def x509_options(authority: trustme.CA, folder: Path) -> tuple[str, ...]:
    """Key and certificate for Xtigervnc."""
    certificate = authority.issue_cert("127.0.0.1")
    key, chain = folder / "key.pem", folder / "cert.pem"
    certificate.private_key_pem.write_to_path(str(key))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(chain), append=True)
    return "-X509Key", str(key), "-X509Cert", str(chain)


async def shows_a_picture(port: int, login: TargetLogin, **options: Any) -> None:
    """A viewer through the relay gets a whole picture."""
    async with relay_host(tcp_target(port), login=login, **options) as host, websocket_viewer(host.url) as viewer:
        try:
            await viewer.start()
        except EOFError:
            pytest.fail(f"target refused: {host.errors}")
        await viewer.full()
        assert viewer.size == (640, 480)


async def is_refused(port: int, login: TargetLogin, **options: Any) -> str:
    """The login is refused; the detail."""
    target = TargetConnection(RfbRules())
    await asyncio.get_running_loop().create_connection(lambda: target, "127.0.0.1", port)
    with pytest.raises(TargetRefused) as refused:
        await target.handshake(login, within=5, **options)
    assert PASSWORD not in refused.value.detail
    return refused.value.detail


async def test_vnc_authentication(tmp_path: Path, password_file: Path) -> None:
    options = ("-rfbauth", str(password_file))
    with run_xvnc(tmp_path / "x", tcp=True, security="VncAuth", extra=options) as display:
        assert display.port
        await shows_a_picture(display.port, TargetLogin(password=PASSWORD))
        assert "Authentication fail" in await is_refused(display.port, TargetLogin(password="wrong"))
        assert "offered [2]" in await is_refused(display.port, TargetLogin())
        login = TargetLogin(password=PASSWORD, allow_vnc_auth=False, allow_none=False)
        assert "offered [2]" in await is_refused(display.port, login)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_vencrypt_x509(
    runner: Callable[[Coroutine[Any, Any, None]], None], tmp_path: Path, password_file: Path, authority: trustme.CA
) -> None:
    options = ("-rfbauth", str(password_file), *x509_options(authority, tmp_path))

    async def scenario() -> None:
        login = TargetLogin(password=PASSWORD, allow_vnc_auth=False, allow_none=False)
        trusting = client_context(authority)
        await shows_a_picture(port, login, target_tls=trusting, hostname="127.0.0.1")
        assert "not valid for" in await is_refused(port, login, tls=trusting, server_hostname="example.test")
        stranger = client_context(trustme.CA())
        assert "verify failed" in await is_refused(port, login, tls=stranger, server_hostname="127.0.0.1")
        assert "no trusted certificate" in await is_refused(port, login)
        wrong = TargetLogin(password="wrong")
        assert "refused the login" in await is_refused(port, wrong, tls=trusting, server_hostname="127.0.0.1")

    with run_xvnc(tmp_path / "x", tcp=True, security="X509Vnc,TLSVnc", extra=options) as display:
        port = display.port or 0
        runner(scenario())


async def test_vencrypt_without_password(tmp_path: Path, authority: trustme.CA) -> None:
    options = x509_options(authority, tmp_path)
    with run_xvnc(tmp_path / "x", tcp=True, security="X509None", extra=options) as display:
        tls: ssl.SSLContext = client_context(authority)
        await shows_a_picture(display.port or 0, TargetLogin(), target_tls=tls, hostname="127.0.0.1")


async def test_anonymous_tls_is_taken_only_when_allowed(tmp_path: Path, password_file: Path) -> None:
    options = ("-rfbauth", str(password_file))
    with run_xvnc(tmp_path / "x", tcp=True, security="TLSVnc", extra=options) as display:
        port = display.port or 0
        assert "offered [258]" in await is_refused(port, TargetLogin(password=PASSWORD))
        await shows_a_picture(port, TargetLogin(password=PASSWORD, allow_anonymous_tls=True))


async def test_qemu_with_a_password(tmp_path: Path) -> None:
    secret = ("-S", "-object", f"secret,id=pw,data={PASSWORD}")
    with run_qemu(tmp_path / "q", options=",password-secret=pw", extra=secret) as machine:
        login = TargetLogin(password=PASSWORD)
        async with relay_host(unix_target(machine.socket), login=login) as host, websocket_viewer(host.url) as viewer:
            await viewer.start()
            await viewer.full()
