"""The viewer's WebSocket: origin and sign-in were checked by the middlewares, the ticket is checked by the broker."""

from typing import Final

from aiohttp import web

from common.errors import TicketInvalid
from common.ids import SessionId
from gateway.caller import signed_in
from gateway.services import SOURCE, services
from gateway.websocket import accept_viewer

TICKET_PREFIX: Final = "kakehashi.ticket."
"""The ticket travels in the list of subprotocols: a URL would end up in logs and histories."""


async def rfb(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/sessions/{id}/rfb"""
    web_session, _ = signed_in(request)
    ticket = _ticket(request)
    connection = await accept_viewer(request)
    await services(request).viewers.serve(
        connection,
        session_id=SessionId(request.match_info["id"]),
        ticket=ticket,
        web_session=web_session,
        source=request[SOURCE],
    )
    return connection.response


def _ticket(request: web.Request) -> str:
    offered = [
        name.strip() for value in request.headers.getall("Sec-WebSocket-Protocol", []) for name in value.split(",")
    ]
    tickets = [name.removeprefix(TICKET_PREFIX) for name in offered if name.startswith(TICKET_PREFIX)]
    if len(tickets) != 1 or len(tickets[0]) > 128:
        raise TicketInvalid("exactly one ticket must be offered as a subprotocol")
    return tickets[0]
