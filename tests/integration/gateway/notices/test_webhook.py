"""The webhook against a real HTTPS receiver: signed, one call a notice, no redirects, no other address."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trustme
from aiohttp import web

from common.secret import Secret
from gateway.notices.model import NOBODY, ChannelName, NotSent, Outcome, Sent
from gateway.notices.settings import WebhookSettings
from gateway.notices.signing import genuine
from gateway.notices.webhook import WebhookChannel
from tests.support.bcp_notices import declaration, notice, parcel, said
from tests.support.clock import FakeClock
from tests.support.ports import free_port
from tests.support.tls import client_context, server_context

SECRET = "a key of more than thirty-two characters"


@dataclass
class Receiver:
    """What an SMS gateway would see."""

    port: int = 0
    status: int = 204
    location: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": self.location} if self.location else {})


@asynccontextmanager
async def receiving(tls: ssl.SSLContext) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port(), ssl_context=tls)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def channel(port: int, tls: ssl.SSLContext) -> WebhookChannel:
    settings = WebhookSettings(url=f"https://127.0.0.1:{port}/hook", secret=Secret(SECRET), timeout_seconds=5)
    return WebhookChannel(settings, words=said, clock=FakeClock(), tls=tls)


async def test_a_notice_is_announced_once_and_people_come_together(authority: trustme.CA) -> None:
    clock = FakeClock()
    parcels = [
        parcel(NOBODY, ChannelName.WEBHOOK),
        parcel("tanaka", ChannelName.WEBHOOK),
        parcel("yamada", ChannelName.WEBHOOK),
    ]
    async with receiving(server_context(authority)) as receiver:
        results = await channel(receiver.port, client_context(authority)).send(parcels)
    assert [outcome for _, outcome in results] == [Sent()] * 3
    assert len(receiver.calls) == 2
    for headers, body in receiver.calls:
        stamp, shown = headers["Kakehashi-Timestamp"], headers["Kakehashi-Signature"]
        now = clock.now().timestamp()
        assert genuine(SECRET.encode(), stamp, body, shown, now=now)
        assert not genuine(b"another", stamp, body, shown, now=now)
        assert not genuine(SECRET.encode(), stamp, body + b" ", shown, now=now)
        assert not genuine(SECRET.encode(), stamp, body, shown, now=now + 301)
    announced, people = (json.loads(body) for _, body in receiver.calls)
    assert (announced["type"], announced["recipients"]) == ("announcement", [])
    assert (people["type"], [one["username"] for one in people["recipients"]]) == ("people", ["tanaka", "yamada"])
    assert people["level"] == "first"
    assert "令和8年4月1日" in people["text"]


@pytest.mark.parametrize(("status", "location"), [(302, "https://127.0.0.1:1/else"), (500, ""), (403, "")])
async def test_anything_but_success_is_tried_again_and_redirects_are_not_followed(
    authority: trustme.CA, status: int, location: str
) -> None:
    async with receiving(server_context(authority)) as receiver:
        receiver.status, receiver.location = status, location
        ((_, outcome),) = await channel(receiver.port, client_context(authority)).send([parcel()])
    assert outcome == NotSent(f"status {status}")
    assert len(receiver.calls) == 1


async def test_an_unknown_certificate_or_a_dead_receiver_gets_nothing(authority: trustme.CA) -> None:
    tls = client_context(authority)
    outcomes: list[Outcome] = []
    async with receiving(server_context(trustme.CA())) as receiver:
        outcomes += [outcome for _, outcome in await channel(receiver.port, tls).send([parcel()])]
    outcomes += [outcome for _, outcome in await channel(free_port(), tls).send([parcel()])]
    assert receiver.calls == []
    assert all(isinstance(outcome, NotSent) and not outcome.final for outcome in outcomes)
    assert len(outcomes) == 2


async def test_a_drill_says_so_in_every_part(authority: trustme.CA) -> None:
    async with receiving(server_context(authority)) as receiver:
        drill = parcel(notice=notice(declaration(drill=True)))
        await channel(receiver.port, client_context(authority)).send([drill])
    body = json.loads(receiver.calls[0][1])
    assert body["drill"] is True
    assert all(body[name].startswith("【訓練】") for name in ("subject_ja", "short_ja", "text"))
    assert all(body[name].startswith("[DRILL]") for name in ("subject_en", "short_en"))
