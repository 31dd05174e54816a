"""Pools and static targets as administrators keep them, and sessions on static targets."""

from typing import Any

import pytest
import trustme
from sqlalchemy import text

from broker.connectors.direct import DirectConnector
from broker.credentials import CredentialVault, DesktopCredential
from broker.models import AddressKind, EndReason, Pool, PoolKind, StaticTarget, TargetSecurity
from broker.states import SessionState
from common.errors import AuditUnavailable, ErrorCode, KakehashiError, NotFound, SecretUnreadable, TargetUnreachable
from common.ids import DesktopId, PoolId, TenantId, UserId, WebSessionId
from common.secret import Keyring, Secret
from tests.integration.broker.conftest import CITY, OFFICE, World, pool

STATIC = PoolId("own-pcs")


def static_pool(**over: Any) -> Pool:
    values: dict[str, Any] = {"id": STATIC, "kind": PoolKind.STATIC}
    return pool(**(values | over))


def target(name: str = "pc-1", **over: Any) -> StaticTarget:
    values: dict[str, Any] = {
        "tenant_id": CITY,
        "id": DesktopId(name),
        "pool_id": STATIC,
        "name_ja": "端末",
        "name_en": "PC",
        "address_kind": AddressKind.TCP,
        "host": "pc01.city.example",
        "port": 5900,
        "security": (TargetSecurity.X509, TargetSecurity.VNC_AUTH),
    }
    return StaticTarget(**(values | over))


async def _static(world: World, *targets: StaticTarget, **over: Any) -> None:
    await world.broker.catalogue.put_pool(static_pool(**over), actor="usr_admin")
    for one in targets:
        await world.broker.catalogue.put_target(one, actor="usr_admin")


async def test_pools_are_kept_changed_and_audited(world: World) -> None:
    catalogue = world.broker.catalogue
    assert await catalogue.pools(CITY) == (pool(),)
    assert await catalogue.put_pool(pool(max_desktops=3, name_ja="新しい名前"), actor="usr_admin") is False
    assert (await catalogue.pool(CITY, OFFICE)).max_desktops == 3
    assert await catalogue.pools(TenantId("town")) == ()
    with pytest.raises(NotFound):
        await catalogue.pool(TenantId("town"), OFFICE)
    with pytest.raises(KakehashiError) as refused:
        await catalogue.put_pool(pool(kind=PoolKind.STATIC), actor="usr_admin")
    assert refused.value.code is ErrorCode.CONFLICT
    assert world.audit.events[-1].actor == "usr_admin"
    world.audit.broken = True
    with pytest.raises(AuditUnavailable):
        await catalogue.put_pool(pool(id=PoolId("unseen")), actor="usr_admin")
    assert len(await catalogue.pools(CITY)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Upper"}, {"id": "../x"}, {"id": ""}, {"name_ja": ""}, {"name_en": "a\nb"}, {"name_en": "x" * 129},
        {"pool_class": "a b"}, {"max_desktops": -1}, {"max_queued": -1}, {"user_session_limit": 0},
        {"keep_disconnected_minutes": 0}, {"geometry": "big"}, {"geometry": "99999x1"},
    ],
)  # fmt: skip
async def test_wrong_pools_are_refused_by_field(small_world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(KakehashiError) as refused:
        await small_world.broker.catalogue.put_pool(pool(**wrong), actor="usr_admin")
    assert refused.value.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "a/b"}, {"host": "127.1"}, {"host": "a b"}, {"host": ""}, {"port": None}, {"port": 0}, {"port": 65536},
        {"security": ()}, {"security": (TargetSecurity.NONE, TargetSecurity.NONE)}, {"tls_name": "2130706433"},
        {"ca_pem": "no certificate"}, {"ca_pem": ""}, {"name_ja": "\u202e"},
        {"address_kind": AddressKind.UNIX, "host": "relative", "port": None, "security": (TargetSecurity.NONE,)},
        {"address_kind": AddressKind.UNIX, "host": "/" + "x" * 120, "port": None, "security": (TargetSecurity.NONE,)},
        {"address_kind": AddressKind.UNIX, "host": "/run/x", "port": 1, "security": (TargetSecurity.NONE,)},
        {"address_kind": AddressKind.UNIX, "host": "/run/x", "port": None},
    ],
)  # fmt: skip
async def test_wrong_targets_are_refused_by_field(small_world: World, wrong: dict[str, Any]) -> None:
    await _static(small_world)
    with pytest.raises(KakehashiError) as refused:
        await small_world.broker.catalogue.put_target(target(**wrong), actor="usr_admin")
    assert refused.value.code is ErrorCode.BAD_REQUEST


async def test_targets_are_kept_and_need_a_static_pool(world: World) -> None:
    catalogue = world.broker.catalogue
    pem = trustme.CA().cert_pem.bytes().decode()
    kept = target(ca_pem=pem, tls_name="pc01.city.example", assigned_user_id=UserId("usr_a"))
    await _static(world, kept)
    assert await catalogue.targets(CITY) == (kept,)
    assert await catalogue.targets(CITY, OFFICE) == ()
    assert await catalogue.targets(TenantId("town")) == ()
    for wrong, error in ((OFFICE, KakehashiError), (PoolId("none"), NotFound)):
        with pytest.raises(error):
            await catalogue.put_target(target(pool_id=wrong), actor="usr_admin")
    await catalogue.delete_target(CITY, kept.id, actor="usr_admin")
    with pytest.raises(NotFound):
        await catalogue.target(CITY, kept.id)


async def test_credentials_are_sealed_bound_and_dropped_when_the_target_moves(world: World) -> None:
    catalogue = world.broker.catalogue
    await _static(world, target(), target("pc-2"))
    secret = DesktopCredential("vncuser", Secret("秘密 pass"))
    await catalogue.set_credential(CITY, DesktopId("pc-1"), secret, actor="usr_admin")
    assert (await catalogue.target(CITY, DesktopId("pc-1"))).has_credential
    async with world.database.transaction() as connection:
        sealed = (await connection.execute(text("select credential from static_target where id = 'pc-1'"))).scalar_one()
        assert "秘密" not in sealed
        # Somebody with the database moves the sealed value to a target of their own.
        await connection.execute(text("update static_target set credential = :s where id = 'pc-2'"), {"s": sealed})
    assert "秘密" not in repr(world.audit.events) + repr(secret)
    session = await world.session(pool_id=STATIC)
    opened = await world.broker.attachments.desktop_target(await world.attach(session))
    assert session.desktop_id == "pc-1"
    assert opened.credential is not None
    assert (opened.credential.username, opened.credential.password.reveal()) == ("vncuser", "秘密 pass")
    second = await world.session("usr_b", pool_id=STATIC)
    with pytest.raises(SecretUnreadable):
        await world.broker.attachments.desktop_target(await world.attach(second))
    # A renamed target keeps it; one that leads elsewhere does not.
    await catalogue.put_target(target(name_ja="新しい名前"), actor="usr_admin")
    assert (await catalogue.target(CITY, DesktopId("pc-1"))).has_credential
    await catalogue.put_target(target(host="evil.example"), actor="usr_admin")
    assert not (await catalogue.target(CITY, DesktopId("pc-1"))).has_credential
    await catalogue.set_credential(CITY, DesktopId("pc-2"), None, actor="usr_admin")
    assert not (await catalogue.target(CITY, DesktopId("pc-2"))).has_credential
    with pytest.raises(NotFound):
        await catalogue.set_credential(TenantId("town"), DesktopId("pc-1"), secret, actor="usr_admin")


def test_vault_binds_to_tenant_and_target() -> None:
    vault = CredentialVault(Keyring({"k": bytes(32)}, "k"))
    sealed = vault.seal(CITY, DesktopId("pc-1"), DesktopCredential(None, Secret("x")))
    assert vault.open(CITY, DesktopId("pc-1"), sealed).password.reveal() == "x"
    for tenant, desktop in ((TenantId("town"), "pc-1"), (CITY, "pc-2")):
        with pytest.raises(SecretUnreadable):
            vault.open(tenant, DesktopId(desktop), sealed)


async def test_static_session_gives_connector_security_and_trust(world: World) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    await _static(world, target(ca_pem=pem))
    viewer = await world.attach(await world.session(pool_id=STATIC))
    found = await world.broker.attachments.desktop_target(viewer)
    assert isinstance(found.connector, DirectConnector)
    assert found.security == (TargetSecurity.X509, TargetSecurity.VNC_AUTH)
    assert (found.ca_pem, found.tls_name, found.credential) == (pem, "pc01.city.example", None)
    with pytest.raises(TargetUnreachable):  # no network is allowed in these settings
        await found.connector.open(lambda: None)  # type: ignore[arg-type,return-value]  # never reached
    assert world.agent.started == []
    ended = await world.broker.attachments.viewer_lost(viewer, EndReason.DESKTOP_ENDED)
    assert (await world.settled(ended.id)).state is SessionState.ENDED


async def test_own_pc_goes_to_its_owner_and_free_ones_to_the_others(world: World) -> None:
    await _static(
        world,
        target("pc-a", assigned_user_id=UserId("usr_a")),
        target("pc-b"),
        target("pc-c", enabled=False),
        max_desktops=10,
    )
    other = await world.session("usr_b", pool_id=STATIC)
    owner = await world.session("usr_a", pool_id=STATIC)
    third = await world.session("usr_c", pool_id=STATIC)
    assert (other.desktop_id, owner.desktop_id, third.desktop_id) == ("pc-b", "pc-a", None)
    assert third.state is SessionState.QUEUED
    seats = (await world.broker.catalogue.seats(CITY))[STATIC]
    assert (seats.used, seats.total, seats.queued) == (2, 2, 1)
    with pytest.raises(KakehashiError):
        await world.broker.catalogue.delete_target(CITY, DesktopId("pc-b"), actor="usr_admin")
    await world.broker.sessions.end(CITY, other.id, EndReason.USER_LOGGED_OUT, user_id=other.user_id)
    assert (await world.settled(third.id)).desktop_id == "pc-b"


async def test_a_broken_own_pc_is_replaced_by_a_free_one(world: World) -> None:
    await _static(world, target("pc-a", assigned_user_id=UserId("usr_a"), enabled=False), target("pc-b"))
    assert (await world.session("usr_a", pool_id=STATIC)).desktop_id == "pc-b"


async def test_a_pc_that_did_not_answer_is_given_out_last(world: World) -> None:
    await _static(world, target("pc-a"), target("pc-b"), target("pc-c"), max_desktops=10)
    world.broker.silent.failed(DesktopId("pc-a"))
    world.broker.silent.failed(DesktopId("pc-b"))
    given = [(await world.session(user, pool_id=STATIC)).desktop_id for user in ("usr_a", "usr_b")]
    assert given == ["pc-c", "pc-a"]


async def test_same_names_in_two_tenants_do_not_meet(world: World) -> None:
    town = TenantId("town")
    await world.broker.catalogue.put_pool(pool(tenant_id=town, max_desktops=1), actor="usr_admin")
    here = await world.session()
    there = await world.broker.sessions.request(world.grant(tenant_id=town), web_session_id=WebSessionId("web_1"))
    assert there.tenant_id == town
    assert here.id != there.id
    assert here.desktop_id != there.desktop_id
    assert [session.id for session in await world.broker.sessions.list_all(town)] == [there.id]
