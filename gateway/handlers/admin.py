"""For IT: pools, static desktops, live sessions, second factors. Behind the `ADMIN` permission only."""

from dataclasses import asdict

from aiohttp import web

from broker.credentials import DesktopCredential
from broker.models import EndReason, Pool, StaticTarget
from common.errors import NotFound
from common.ids import DesktopId, PoolId, SessionId, TenantId, UserId
from common.secret import Secret
from gateway.bodies import answer, body, no_content
from gateway.schemas import (
    AdminSessionAnswer,
    AdminSessionsAnswer,
    CredentialBody,
    PoolAnswer,
    PoolBody,
    PoolsAnswer,
    TargetAnswer,
    TargetBody,
    TargetsAnswer,
)
from gateway.services import CALLER, SOURCE, services


def _tenant(request: web.Request) -> TenantId:
    return TenantId(services(request).settings.tenant.id)


def _pool(pool: Pool) -> PoolAnswer:
    return PoolAnswer.model_validate({key: value for key, value in asdict(pool).items() if key != "tenant_id"})


def _target(target: StaticTarget) -> TargetAnswer:
    shown = {key: value for key, value in asdict(target).items() if key != "tenant_id"}
    return TargetAnswer.model_validate(shown | {"security": list(target.security)})


async def list_pools(request: web.Request) -> web.Response:
    """GET /api/v1/admin/pools"""
    found = await services(request).catalogue.pools(_tenant(request))
    return answer(PoolsAnswer(items=[_pool(pool) for pool in found]))


async def put_pool(request: web.Request) -> web.Response:
    """PUT /api/v1/admin/pools/{id}"""
    wanted = await body(request, PoolBody)
    pool = Pool(tenant_id=_tenant(request), id=PoolId(request.match_info["id"]), **wanted.model_dump())
    await services(request).catalogue.put_pool(pool, actor=request[CALLER].name)
    return answer(_pool(pool))


async def remove_pool(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/pools/{id}"""
    wanted = PoolId(request.match_info["id"])
    await services(request).catalogue.delete_pool(_tenant(request), wanted, actor=request[CALLER].name)
    return no_content()


async def list_targets(request: web.Request) -> web.Response:
    """GET /api/v1/admin/desktops"""
    found = await services(request).catalogue.targets(_tenant(request))
    return answer(TargetsAnswer(items=[_target(target) for target in found]))


async def put_target(request: web.Request) -> web.Response:
    """PUT /api/v1/admin/desktops/{id}"""
    wanted = await body(request, TargetBody)
    given = wanted.model_dump() | {"security": tuple(wanted.security)}
    target = StaticTarget(tenant_id=_tenant(request), id=DesktopId(request.match_info["id"]), **given)
    catalogue = services(request).catalogue
    await catalogue.put_target(target, actor=request[CALLER].name)
    stored = next((t for t in await catalogue.targets(_tenant(request)) if t.id == target.id), target)
    return answer(_target(stored))


async def remove_target(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/desktops/{id}"""
    wanted = DesktopId(request.match_info["id"])
    await services(request).catalogue.delete_target(_tenant(request), wanted, actor=request[CALLER].name)
    return no_content()


async def put_credential(request: web.Request) -> web.Response:
    """PUT /api/v1/admin/desktops/{id}/credential"""
    given = await body(request, CredentialBody)
    await services(request).catalogue.set_credential(
        _tenant(request),
        DesktopId(request.match_info["id"]),
        DesktopCredential(given.username, Secret(given.password)),
        actor=request[CALLER].name,
    )
    return no_content()


async def list_sessions(request: web.Request) -> web.Response:
    """GET /api/v1/admin/sessions"""
    own = services(request)
    now = own.clock.now()
    return answer(
        AdminSessionsAnswer(
            items=[
                AdminSessionAnswer(
                    id=session.id,
                    user_id=session.user_id,
                    username=session.username,
                    display_name=session.display_name,
                    pool_id=session.pool_id,
                    state=session.state,
                    end_reason=session.end_reason,
                    short_code=session.short_code,
                    created_at=session.created_at,
                    active_seconds=session.active_seconds(now),
                )
                for session in await own.sessions.list_all(_tenant(request))
            ]
        )
    )


async def end_session(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/sessions/{id}"""
    wanted = SessionId(request.match_info["id"])
    actor = request[CALLER].name
    await services(request).sessions.end(_tenant(request), wanted, EndReason.ADMIN, user_id=None, actor=actor)
    return no_content()


async def reset_factors(request: web.Request) -> web.Response:
    """DELETE /api/v1/admin/users/{id}/factors"""
    auth = services(request).auth
    user_id: UserId | None = await auth.find_user(request.match_info["id"])
    if user_id is None or not await auth.reset_factors(
        user_id, actor=request[CALLER].name, source=request[SOURCE] or None
    ):
        raise NotFound("nobody of that name has ever signed in")
    return no_content()
