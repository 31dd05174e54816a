"""The HTTP face: headers, problems, limits, proxies, cookies, permissions, the local socket."""

import asyncio
import io
import json
import os
import re
import socket
import ssl
import sys
import time
import warnings
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
import pyotp
import pytest
import structlog

from common.log import configure
from gateway import pacing
from gateway.headers import LOGIN_COOKIE, SESSION_COOKIE
from gateway.pacing import BURST
from gateway.routes import ROUTES
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import Slapd

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), midi=(), payment=(), display-capture=()"
    ),
    "Cache-Control": "no-store",
}
"""Written out: a header that is dropped or weakened in the gateway fails here."""


async def test_every_answer_carries_the_security_headers(sato: Person) -> None:
    paths = ["/", "/login", "/assets/app-1a2b.js", "/healthz", "/api/v1/login", "/api/v1/me", "/api/v1/none", "/x.php"]
    for path in paths:
        async with sato.client.get(sato.url + path) as response:
            for name, value in SECURITY_HEADERS.items():
                assert response.headers[name] == value, (path, name)
            assert "Server" not in response.headers
            assert response.headers["X-Request-Id"].startswith("req_")


async def test_every_log_line_of_a_request_carries_its_id(sato: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure(json=True)
    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(sato.client.get(f"{sato.url}/api/v1/me")) for _ in range(5)]
    finally:
        structlog.reset_defaults()
    answers = [task.result() for task in asked]
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    refused = [line["request_id"] for line in lines if line["event"] == "request refused"]
    assert sorted(refused) == sorted(answer.headers["X-Request-Id"] for answer in answers)
    assert len(set(refused)) == 5
    for answer in answers:
        assert json.loads(await answer.text())["request_id"] == answer.headers["X-Request-Id"]


async def test_problems_are_problem_documents_and_echo_nothing(sato: Person) -> None:
    for method, path, status in [
        ("GET", "/me", 401),
        ("GET", "/nothing/%3Cscript%3E", 404),
        ("PUT", "/login", 405),
        ("GET", "/admin/sessions", 401),
        ("POST", "/sessions/hunter2/ticket", 401),
    ]:
        async with sato.client.request(method, f"{sato.url}/api/v1{path}") as response:
            assert response.status == status, path
            assert response.content_type == "application/problem+json"
            document = json.loads(await response.text())
            assert document["text_ja"]
            assert document["text_en"]
            assert "script" not in str(document)
            assert "hunter2" not in str(document)


async def test_every_guarded_route_refuses_strangers(sato: Person) -> None:
    for route in ROUTES:
        if route.permission in ("public", "login"):
            continue
        path = re.sub(r"\{\w+\}", "x", route.path)
        async with sato.client.request(route.method, sato.url + path, json={}) as response:
            assert response.status == 401, route


async def test_staff_cannot_tell_that_administration_exists(sato: Person) -> None:
    await sato.log_in()
    for route in ROUTES:
        if route.permission == "admin":
            path = re.sub(r"\{\w+\}", "x", route.path).removeprefix("/api/v1")
            status, answer = await sato.call(route.method, path, {})
            assert (status, answer["code"]) == (404, "not_found"), route


async def test_administrators_may(suzuki: Person, gateway: Running) -> None:
    await suzuki.log_in()
    assert (await suzuki.call("GET", "/me"))[1]["roles"] == ["admin"]
    assert (await suzuki.call("GET", "/admin/pools"))[0] == 200
    assert (await gateway.admin("GET", "/pools"))[0] == 200


async def test_cookies_are_host_bound_and_invisible_to_scripts(sato: Person) -> None:
    async with sato.client.post(
        f"{sato.url}/api/v1/login", json={"username": "sato", "password": "sato-pw-2026"}
    ) as response:
        cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"{LOGIN_COOKIE}=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie


async def test_logout_ends_the_session_and_clears_the_browser(sato: Person) -> None:
    await sato.log_in()
    held = {c.key: c.value for c in sato.client.cookie_jar}[SESSION_COOKIE]
    async with sato.client.post(f"{sato.url}/api/v1/logout", headers={"X-CSRF-Token": sato.csrf}) as response:
        assert response.status == 204
        assert '"storage"' in response.headers["Clear-Site-Data"]
    assert (await sato.call("GET", "/me"))[0] == 401
    assert (await sato.call("GET", "/me", headers={"Cookie": f"{SESSION_COOKIE}={held}"}))[0] == 401


async def test_the_session_cookie_changes_at_login(sato: Person) -> None:
    planted = {"Cookie": f"{SESSION_COOKIE}=planted-by-an-attacker"}
    await sato.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"}, headers=planted)
    await sato.log_in()
    assert {c.key: c.value for c in sato.client.cookie_jar}[SESSION_COOKIE] != "planted-by-an-attacker"


async def test_large_and_slow_bodies_are_refused(sato: Person, gateway: Running) -> None:
    status, _ = await sato.call("POST", "/login", {"username": "a" * 100_000, "password": "x"})
    assert status == 413
    reader, writer = await _open(gateway)
    writer.write(b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\n")  # and never the rest
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_one_person_cannot_ask_so_often_that_others_wait(sato: Person, suzuki: Person) -> None:
    await sato.log_in()
    await suzuki.log_in()

    async def ask() -> tuple[int, str | None]:
        async with sato.client.get(f"{sato.url}/api/v1/me") as response:
            return response.status, response.headers.get("Retry-After")

    answers = await asyncio.gather(*(ask() for _ in range(3 * BURST)))
    assert {(200, None), (429, "1")} == set(answers)
    assert answers.count((200, None)) < 2 * BURST
    assert (await suzuki.call("GET", "/me"))[0] == 200
    async with asyncio.timeout(5):
        while (await ask())[0] != 200:  # noqa: ASYNC110 - nothing tells when the second is over
            await asyncio.sleep(0.2)


async def test_two_browsers_of_one_person_have_one_pace_together(
    gateway: Running, sato: Person, suzuki: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cookie alone is far below the limit; nothing is given back while the test runs, however slow the machine."""
    monkeypatch.setattr(pacing, "PER_SECOND", 0.001)
    await sato.log_in()
    await suzuki.log_in()
    assert sato.secret
    async with Person(gateway.url, "sato", "sato-pw-2026") as second:
        later = datetime.now(UTC) + timedelta(seconds=30)  # noqa: TID251 - each code works once, and the next one early
        await second.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"})
        _, state = await second.call("POST", "/login/totp", {"code": pyotp.TOTP(sato.secret).at(later)})
        assert state["step"] == "done", state
        share = 2 * BURST // 3
        for browser, refused in ((sato, False), (second, True)):
            answers = await asyncio.gather(*(browser.call("GET", "/me") for _ in range(share)))
            assert (429 in {status for status, _ in answers}) is refused
    assert (await suzuki.call("GET", "/me"))[0] == 200


async def test_packed_bodies_are_not_unpacked(gateway: Running) -> None:
    """A request of 2 MB that unpacks to 2 GB kept the gateway busy for seconds, before any login."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(60)) + packer.flush()
    for encoding, sent in [("gzip", bomb), ("gzip", b"not gzip"), ("deflate", b"\xff")]:
        head = f"Content-Type: application/json\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(sent)}"
        began = time.process_time()
        answer = await _raw(
            gateway, f"POST /api/v1/login HTTP/1.1\r\n{_ours(gateway)}\r\n{head}\r\n\r\n".encode() + sent
        )
        assert b" 400 " in answer.split(b"\r\n", 1)[0]
        assert b"bad_request" in answer
        assert time.process_time() - began < 0.5


async def test_what_is_no_http_is_logged_without_its_text(
    gateway: Running, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    request = f"GET /api/v1/me HTTP/1.1\r\n{_ours(gateway)}\r\nCookie: {SESSION_COOKIE}=hunter2\x01\r\n\r\n"
    assert b" 400 " in (await _raw(gateway, request.encode())).split(b"\r\n", 1)[0]
    written = caplog.text + "".join(capfd.readouterr())
    assert "hunter2" not in written
    assert "Traceback" not in written


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /<script>alert(1)</script>\x01hunter2 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"hunter2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nhunter2\r\n\r\n",
        b"GET / HTTP/9.9 hunter2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: hunter2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /hunter2" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie: hunter2" + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_with_our_headers_and_without_a_word(
    gateway: Running, request_bytes: bytes
) -> None:
    answer = await _raw(gateway, request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == "HTTP/1.1 400 Bad Request"
    assert body == b""
    assert headers.pop("Content-Length") == "0"
    assert headers.pop("Connection") == "close"
    assert headers == SECURITY_HEADERS
    assert (await _raw(gateway, f"GET /healthz HTTP/1.1\r\n{_ours(gateway)}\r\n\r\n".encode())).split()[1] == b"200"


async def test_no_answer_names_the_server(gateway: Running) -> None:
    for line in ["Expect: nothing", "Upgrade: nothing\r\nConnection: upgrade", "Accept: */*"]:
        request = f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n{line}\r\nConnection: close\r\n\r\n"
        answer = (await _raw(gateway, request.encode())).lower()
        assert answer.startswith(b"http/1.1 4")
        assert b"content-security-policy: " in answer
        assert b"server: " not in answer
        assert b"aiohttp" not in answer


def _ours(gateway: Running) -> str:
    return f"Host: {gateway.url.removeprefix('https://')}\r\nOrigin: {gateway.url}\r\nConnection: close"


async def _raw(gateway: Running, request: bytes) -> bytes:
    reader, writer = await _open(gateway)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_no_path_reaches_the_file_system(gateway: Running) -> None:
    for path in [
        "/../../../../etc/passwd",
        "/assets/../../keys.json",
        "/%2e%2e/keys.json",
        "/assets/%2e%2e%2fkeys.json",
    ]:
        reader, writer = await _open(gateway)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        assert "root:" not in answer
        assert '"keys"' not in answer
        assert answer.split()[1] in ("200", "400", "404")


async def _open(gateway: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", gateway.listeners.port, ssl=context)


async def test_old_tls_is_refused(gateway: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", gateway.listeners.port, ssl=context)


async def test_the_bundle_is_compressed_for_those_who_can(sato: Person) -> None:
    async with sato.client.get(f"{sato.url}/assets/app-1a2b.js") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert (await response.text()).startswith("export const")
    async with sato.client.get(f"{sato.url}/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
    async with sato.client.get(f"{sato.url}/view/ses_x") as response:
        assert "<title>page</title>" in await response.text()


async def test_a_page_whose_address_ends_in_a_number_may_be_opened_directly(sato: Person) -> None:
    async with sato.client.get(f"{sato.url}/bcp/plans/quake.2") as response:
        assert response.status == 200
        assert "<title>page</title>" in await response.text()
    async with sato.client.get(f"{sato.url}/bcp/plans/quake.js") as response:
        assert response.status == 404


async def test_behind_a_proxy_only_its_word_counts(tmp_path: Path, directory: Slapd) -> None:
    http = {"certificate_file": None, "key_file": None, "proxies": ["127.0.0.1/32"]}
    own = settings(tmp_path / "gateway", directory, f"sqlite:///{tmp_path / 'k.db'}", http=http)
    async with run_gateway(own) as running, aiohttp.ClientSession() as client:
        async with client.get(f"{running.url}/api/v1/login") as response:
            assert response.status == 400, "a request that no proxy forwarded"
        forwarded = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        async with client.get(f"{running.url}/api/v1/login", headers=forwarded) as response:
            assert response.status == 200
        async with client.get(
            f"{running.url}/api/v1/login", headers=forwarded | {"X-Forwarded-Proto": "http"}
        ) as response:
            assert response.status == 400


async def test_the_local_socket_is_for_the_gateways_account_and_root(gateway: Running) -> None:
    path = gateway.settings.admin.socket
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    for directory in path.parents:
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o011)
    program = f"""
import os, socket
os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
try:
    s.connect({str(path)!r})
except PermissionError:
    print("refused")
"""
    child = await asyncio.create_subprocess_exec("python3", "-c", program, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    assert out.strip() == b"refused"


async def test_a_socket_left_by_a_dead_gateway_is_replaced(tmp_path: Path, directory: Slapd) -> None:
    own = settings(tmp_path / "gateway", directory, f"sqlite:///{tmp_path / 'k.db'}")
    assert own.admin.socket is not None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(own.admin.socket))
    async with run_gateway(own) as running:
        assert (await running.admin("GET", "/pools"))[0] == 200
