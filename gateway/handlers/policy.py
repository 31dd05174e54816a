"""The rules: which are in force, why they answer as they do, what others would change. `ADMIN` only; read only.

Counterparts: `policy.report` (words), `policy.what_if` (the difference).
"""

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from common.clock import TOKYO
from common.errors import ErrorCode, KakehashiError, NotFound
from common.ids import PoolId
from gateway.bodies import answer, body
from gateway.schemas import ExplainBody, ExplanationAnswer, PolicyAnswer
from gateway.schemas_policy import (
    EffectChangeAnswer,
    EffectCountAnswer,
    PolicyEffectAnswer,
    PolicyEffectBody,
    SituationAnswer,
)
from gateway.schemas_what_if import PersonAnswer
from gateway.services import services
from policy.checks import load
from policy.engine import Engine
from policy.model import Resource, Subject
from policy.problems import PolicyInvalid
from policy.report import explain_report
from policy.situations import Situation, situations
from policy.what_if import Change, Effect, compare


async def show(request: web.Request) -> web.Response:
    """GET /api/v1/admin/policy"""
    return answer(PolicyAnswer(version=services(request).policy.current.version))


async def explain(request: web.Request) -> web.Response:
    """POST /api/v1/admin/policy/explain"""
    wanted = await body(request, ExplainBody)
    own = services(request)
    identity = await own.auth.lookup(wanted.username)
    if identity is None:
        raise NotFound("the directory knows nobody of that name")
    question = await own.judge.hypothetical(
        identity, PoolId(wanted.pool_id), at=wanted.at, source=wanted.source, days_worked=wanted.days_worked
    )
    engine = own.policy.current
    japanese, english = (explain_report(engine, question, language) for language in ("ja", "en"))
    return answer(ExplanationAnswer(allowed=japanese.ok, text_ja=japanese.text, text_en=english.text))


async def what_if(request: web.Request) -> web.Response:
    """POST /api/v1/admin/policy/what-if"""
    given = await body(request, PolicyEffectBody)
    own = services(request)
    people, resources = await own.surroundings.people(), await own.surroundings.resources()
    names = {
        who.username: PersonAnswer(username=who.username, display_name=who.display_name, department=who.department)
        for who in (await own.surroundings.identities() if given.people else ())
    }
    stop = threading.Event()
    work = asyncio.to_thread(_compared, given, own.policy.current, people, resources, own.clock.now(), stop)
    try:
        old, new, tried, found = await work
    finally:
        stop.set()  # whoever asked may have gone
    return answer(
        PolicyEffectAnswer(
            version=new.version,
            against_version=old.version,
            people=len(people),
            pools=len(resources),
            situations=len(tried),
            gain_people=len(found.gainers),
            lose_people=len(found.losers),
            counts=[
                EffectCountAnswer(pool_id=one.pool_id, what=one.what, gain=one.gain, lose=one.lose)
                for one in found.counts
            ],
            changes=[
                _change(change, tried, [names[name] for name in change.usernames if name in names])
                for change in found.changes
            ],
        )
    )


def _compared(
    given: PolicyEffectBody,
    current: Engine,
    people: Sequence[Subject],
    resources: Sequence[Resource],
    now: datetime,
    stop: threading.Event,
) -> tuple[Engine, Engine, tuple[Situation, ...], Effect]:
    old = current if given.against is None else _engine(given.against, now)
    new = _engine(given.text, now)
    tried = situations(old, new, now, stop.is_set)
    return old, new, tried, compare(old, new, people, resources, tried, stop.is_set)


def _engine(text: str, now: datetime) -> Engine:
    """Raises KakehashiError with every fault of the text."""
    try:
        return Engine(load(text, today=now.astimezone(TOKYO).date())[0])
    except PolicyInvalid as error:
        raise KakehashiError(error.detail, code=ErrorCode.BAD_REQUEST) from error


def _change(change: Change, tried: Sequence[Situation], named: list[PersonAnswer]) -> EffectChangeAnswer:
    example = tried[change.situations[0]]
    return EffectChangeAnswer(
        gain=change.gain,
        what=list(change.what),
        pools=list(change.pools),
        people=len(change.usernames),
        named=named,
        situations=len(change.situations),
        example=SituationAnswer(
            at=example.context.now,
            place_ja=example.place.name_ja,
            place_en=example.place.name_en,
            fact_ja=example.fact_ja,
            fact_en=example.fact_en,
        ),
    )
