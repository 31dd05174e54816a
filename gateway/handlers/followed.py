"""How far the people of a declaration have been reached, for whoever telephones them; the notice to put up.

Counterpart: `gateway.follow_up`, which finds them. What goes through all of them is done off the event loop here, too.
"""

import asyncio
from datetime import datetime

from aiohttp import web

from broker.duties.book import DutyBook
from broker.duties.models import Register
from common.errors import NotFound
from gateway import records_rendering as rendering
from gateway.bodies import answer
from gateway.files import attachment
from gateway.notices import followed
from gateway.notices.followed import Follow
from gateway.schemas_records import CallListsAnswer, ReachAnswer
from gateway.services import Services, services


async def _people(request: web.Request) -> tuple[Services, tuple[Follow, ...]]:
    """Everybody whom the declaration in the path is for. Raises Refused(NOT_FOUND)."""
    own = services(request)
    return own, await own.follow_up.people(await own.bcp.get(request.match_info["id"]))


async def reach(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/reach"""
    own, people = await _people(request)
    return answer(await asyncio.to_thread(_counted, people, own.duties.book.register, own.clock.now()))


def _counted(people: tuple[Follow, ...], register: Register, now: datetime) -> ReachAnswer:
    return ReachAnswer(
        now=now,
        total=rendering.tally(followed.tally(people)),
        classes=rendering.classes(followed.by_class(people)),
        duties=rendering.duties(followed.by_duty(people), register),
    )


async def call_lists(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/reach/people"""
    own, people = await _people(request)
    return answer(await asyncio.to_thread(_lists, people, own.duties.book))


def _lists(people: tuple[Follow, ...], book: DutyBook) -> CallListsAnswer:
    return CallListsAnswer(
        not_reached=rendering.call_list(followed.not_reached(people), book),
        silent=rendering.call_list(followed.silent(people), book),
        limited=rendering.call_list(followed.limited(people), book),
    )


async def duty_people(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/reach/duties/{duty}"""
    own, people = await _people(request)
    duty = own.duties.book.register.duties.get(request.match_info["duty"])
    if duty is None:
        raise NotFound("no such duty")
    return answer(rendering.duty_people(duty, followed.of_duty(people, duty.id), own.duties.book))


async def printed_notice(request: web.Request) -> web.Response:
    """GET /api/v1/bcp/declarations/{id}/notice"""
    own = services(request)
    declaration = await own.bcp.get(request.match_info["id"])
    return attachment(await own.notices.printed(declaration.id), "application/pdf", f"bcp-notice-{declaration.id}.pdf")
