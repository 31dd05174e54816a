"""The attacker of the threat model: a valid account, a modified client. Nothing comes out, nobody else is reached."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from tests.e2e.attacker import closed_with, desktop, over, refusal, ticket, trusting, viewer
from tests.support.city import City
from tests.support.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFICE = "office-desktop"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mallory(city: City) -> AsyncIterator[Person]:
    """Signed in, with a desktop, and up to no good."""
    async with Person(city.url, "itou.daisuke") as person:
        await person.log_in()
        yield person


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def victim(city: City) -> AsyncIterator[Person]:
    """Signed in, with a desktop."""
    async with Person(city.url, "yamamoto.sakura") as person:
        await person.log_in()
        yield person


async def test_an_honest_viewer_works(mallory: Person) -> None:
    session = await desktop(mallory, OFFICE)
    async with viewer(mallory, session["id"], await ticket(mallory, session["id"])) as opened:
        await opened.start()
        await opened.full()
        assert opened.size == (1280, 800)
        assert len(opened.screen.getcolors(1_000_000) or ()) > 20


@pytest.mark.parametrize("forged", ["x", "A" * 43, "or-1-1--", "A" * 128])
async def test_forged_tickets_are_refused(mallory: Person, forged: str) -> None:
    session = await desktop(mallory, OFFICE)
    assert await refusal(mallory, session["id"], forged) == (4401, "ticket_invalid")


async def test_a_ticket_works_once(mallory: Person) -> None:
    session = await desktop(mallory, OFFICE)
    given = await ticket(mallory, session["id"])
    async with viewer(mallory, session["id"], given) as opened:
        await opened.handshake()
        assert await refusal(mallory, session["id"], given) == (4401, "ticket_invalid")


async def test_of_two_at_once_with_one_ticket_exactly_one_gets_in(mallory: Person) -> None:
    session = await desktop(mallory, OFFICE)
    given = await ticket(mallory, session["id"])

    async def attempt() -> bool:
        async with viewer(mallory, session["id"], given) as opened:
            try:
                await opened.handshake()
            except EOFError:
                return False
            return True

    assert sorted(await asyncio.gather(attempt(), attempt(), attempt())) == [False, False, True]


async def test_no_ticket_no_upgrade(mallory: Person) -> None:
    session = await desktop(mallory, OFFICE)
    for protocols in [("binary",), ("binary", "kakehashi.ticket.a", "kakehashi.ticket.b")]:
        with pytest.raises(InvalidStatus) as refused:
            async with viewer(mallory, session["id"], "", protocols=protocols):
                pass
        assert refused.value.response.status_code == 401


async def test_another_origin_is_refused(mallory: Person) -> None:
    session = await desktop(mallory, OFFICE)
    given = await ticket(mallory, session["id"])
    for origin in ["https://evil.example", "null", mallory.url.replace("https", "http"), mallory.url + ".evil.example"]:
        with pytest.raises(InvalidStatus) as refused:
            async with viewer(mallory, session["id"], given, origin=origin):
                pass
        assert refused.value.response.status_code == 403


async def test_other_peoples_sessions_are_as_if_they_were_not_there(mallory: Person, victim: Person) -> None:
    theirs = (await desktop(victim, OFFICE))["id"]
    own = (await desktop(mallory, OFFICE))["id"]
    unknown = "ses_" + "a" * 26
    for target in (theirs, unknown):
        for method, path in [
            ("GET", f"/sessions/{target}"),
            ("DELETE", f"/sessions/{target}"),
            ("POST", f"/sessions/{target}/ticket"),
            ("DELETE", f"/me/web-sessions/{target}"),
        ]:
            status, answer = await mallory.call(method, path)
            assert (status, answer["code"]) == (404, "not_found"), (method, path)
    assert await refusal(mallory, theirs, await ticket(mallory, own)) == (4401, "ticket_invalid")
    assert await refusal(mallory, theirs, await ticket(victim, theirs)) == (4401, "ticket_invalid")
    _, listed = await mallory.call("GET", "/sessions")
    assert theirs not in str(listed)
    _, still = await victim.call("GET", f"/sessions/{theirs}")
    assert still["state"] in ("ready", "disconnected")


async def test_administration_is_not_there_for_staff(mallory: Person) -> None:
    for method, path in [("GET", "/admin/sessions"), ("GET", "/admin/pools"), ("DELETE", "/admin/sessions/x")]:
        status, answer = await mallory.call(method, path)
        assert (status, answer["code"]) == (404, "not_found")


async def test_state_changes_need_token_and_origin(mallory: Person, city: City) -> None:
    assert (await mallory.call("POST", "/sessions", {"pool_id": OFFICE}, headers={"X-CSRF-Token": "x"}))[0] == 403
    for origin in ["https://evil.example", "null", ""]:
        status, _ = await mallory.call("POST", "/sessions", {"pool_id": OFFICE}, headers={"Origin": origin})
        assert status == 403
    status, _ = await mallory.call("POST", "/sessions", {"pool_id": OFFICE}, headers={"Sec-Fetch-Site": "cross-site"})
    assert status == 403
    assert (await mallory.call("POST", "/login", {"username": "a", "password": "b"}, headers={"Origin": "null"}))[
        0
    ] == 403


async def test_bodies_that_are_not_in_form_say_which_field_and_echo_nothing(mallory: Person) -> None:
    status, answer = await mallory.call("POST", "/sessions", {"pool_id": "<script>", "extra": "hunter2"})
    assert status == 400
    assert "hunter2" not in str(answer)
    assert "<script>" not in str(answer)
    assert {fault["field"] for fault in answer["fields"]} == {"pool_id", "extra"}


async def test_the_my_number_zone_is_out_of_reach(mallory: Person) -> None:
    status, answer = await mallory.call("POST", "/sessions", {"pool_id": "resident-records"})
    assert (status, answer["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("UltraVNC file transfer", struct.pack(">BBBxII", 7, 3, 0, 0, 3) + b"C:/"),
        ("TightVNC file list", struct.pack(">BBH", 130, 0, 0)),
        ("TightVNC 2 file transfer", struct.pack(">BB", 252, 0)),
        ("chat", struct.pack(">BxxxI", 11, 5) + b"hello"),
        ("audio", struct.pack(">BBH", 255, 1, 0)),
        ("set scale", struct.pack(">BBxx", 8, 2)),
        ("fix colour map", struct.pack(">BxHH", 1, 0, 0)),
        ("unknown", b"\xaa" * 20),
        ("huge clipboard", struct.pack(">BxxxI", 6, 0x7FFFFFFF)),
        ("too many encodings", struct.pack(">BxH", 2, 60_000)),
    ],
)
async def test_what_is_not_a_key_or_pointer_ends_the_session(mallory: Person, name: str, message: bytes) -> None:
    session = await desktop(mallory, OFFICE)
    async with viewer(mallory, session["id"], await ticket(mallory, session["id"])) as opened:
        await opened.start()
        await opened.raw(message)
        assert await closed_with(opened) == (4422, "protocol_violation"), name
    assert await over(mallory, session["id"]) == "protocol_violation"


async def test_half_a_message_holds_nothing_up(mallory: Person, victim: Person) -> None:
    """Slow-loris inside the stream: the session stays, everybody else works on."""
    mine, theirs = await desktop(mallory, OFFICE), await desktop(victim, OFFICE)
    async with viewer(mallory, mine["id"], await ticket(mallory, mine["id"])) as slow:
        await slow.handshake()
        await slow.raw(b"\x05\x00\x01")
        async with viewer(victim, theirs["id"], await ticket(victim, theirs["id"])) as other:
            await other.start()
            await other.full()
            assert other.size == (1280, 800)


async def test_frames_beyond_the_limit_are_refused(mallory: Person) -> None:
    session = await desktop(mallory, OFFICE)
    async with viewer(mallory, session["id"], await ticket(mallory, session["id"])) as opened:
        await opened.handshake()
        await opened.raw(b"\x04" * 200_000)
        code, _ = await closed_with(opened)
        assert code == 1009


async def test_slow_headers_and_silent_handshakes_hold_nobody_up(city: City, mallory: Person) -> None:
    place = urlsplit(city.url)
    assert place.port
    idle = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(40)]  # silent before TLS
    context = trusting()
    half: list[socket.socket] = [
        context.wrap_socket(socket.create_connection(("127.0.0.1", place.port)), server_hostname="localhost")
        for _ in range(10)
    ]
    for connection in half:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    began = time.monotonic()
    assert (await mallory.call("GET", "/me"))[0] == 200
    assert time.monotonic() - began < 2
    connections: list[socket.socket] = [*idle, *half]
    for connection in connections:
        connection.settimeout(25)
        assert await asyncio.to_thread(_ends, connection)


def _ends(connection: socket.socket) -> bool:
    """Whether the gateway closes a connection on which nothing more comes."""
    with connection:
        try:
            while connection.recv(4096):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True
