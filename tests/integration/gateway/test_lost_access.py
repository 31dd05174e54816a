"""Over HTTP, with a real directory: degraded login, vouches of two officials, the emergency card."""

import base64
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pyotp
import pytest

from gateway.permissions import Permission
from gateway.routes import ROUTES
from gateway.services import SERVICES
from policy.guardrails import LOW_PRIVILEGE
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import STAFF, Slapd, group, person, person_dn, run_slapd


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Slapd]:
    """The sample staff, two officials, an administrator."""
    ldif = (
        STAFF
        + person("mori", "mori-pw-2026")
        + person("hara", "hara-pw-2026")
        + group("officials", person_dn("mori"), person_dn("hara"))
        + group("it", person_dn("suzuki"))
    )
    with run_slapd(tmp_path / "slapd", ldif) as slapd:
        yield slapd


@pytest.fixture
async def running(tmp_path: Path, city: Slapd) -> AsyncIterator[Running]:
    """A gateway where telework is the roster."""
    own = settings(tmp_path / "gateway", city, f"sqlite:///{tmp_path / 'kakehashi.db'}")
    auth = own.auth.model_copy(
        update={
            "degraded": own.auth.degraded.model_copy(update={"groups": ("telework",)}),
            "vouch": own.auth.vouch.model_copy(update={"groups": ("officials",)}),
        }
    )
    async with run_gateway(own.model_copy(update={"auth": auth})) as gateway:
        yield gateway


def _text(card: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", str(card), "-"], capture_output=True, timeout=30, check=True)
    return done.stdout.decode()


def _next_code(someone: Person) -> str:
    """The code of the coming half minute, which counts already: nobody waits for it."""
    assert someone.secret
    return pyotp.TOTP(someone.secret).at(int(time.time()) + 30)  # noqa: TID251 - the gateway runs on the real clock


async def _open_to(someone: Person) -> dict[str, str]:
    _, seen = await someone.call("GET", "/desktops")
    return {pool["pool_id"]: pool["reason"]["code"] if pool["reason"] else "allowed" for pool in seen["items"]}


async def test_a_temporary_authenticator_administers_nothing(running: Running) -> None:
    async with (
        Person(running.url, "suzuki", "suzuki-pw-2026") as suzuki,
        Person(running.url, "mori", "mori-pw-2026") as mori,
        Person(running.url, "hara", "hara-pw-2026") as hara,
        Person(running.url, "suzuki", "suzuki-pw-2026") as home,
    ):
        for someone in (suzuki, mori, hara):
            await someone.log_in()
        assert (await suzuki.call("GET", "/admin/pools"))[0] == 200
        vouch = (await mori.call("POST", "/vouches", {"username": "suzuki", "check": "call_back"}))[1]["vouch"]["id"]
        code = (await hara.call("POST", f"/vouches/{vouch}/confirm", {"check": "in_person"}))[1]["activation_code"]
        await home.call("POST", "/login", {"username": "suzuki", "password": "suzuki-pw-2026"})
        await home.call("POST", "/login/activation", {"code": code})
        secret = (await home.call("POST", "/login/enrol", {}))[1]["secret"].replace(" ", "")
        await home.call("POST", "/login/enrol/confirm", {"code": pyotp.TOTP(secret).now()})
        assert (await home.call("GET", "/me"))[1]["roles"] == []
        assert (await home.call("GET", "/admin/pools"))[0] == 404


async def test_scoped_admin_becomes_admin_vouchers_reach_no_other_route_and_raise_nobody(running: Running) -> None:
    """Not even two together: nobody vouches for oneself, and whom they help has the same roles as before."""
    async with (
        Person(running.url, "mori", "mori-pw-2026") as mori,
        Person(running.url, "sato", "sato-pw-2026") as sato,
    ):
        for someone in (mori, sato):
            await someone.log_in()
        roles = frozenset({Permission.ADMIN, Permission.BCP_READ, Permission.BCP_ACT, Permission.BCP_APPROVE})
        for route in ROUTES:
            if route.permission in roles:
                path = route.path.removeprefix("/api/v1").replace("{id}", "quake.1")
                status, answer = await mori.call(route.method, path, None if route.method in ("GET", "DELETE") else {})
                assert (status, (answer or {}).get("code")) == (404, "not_found"), route.path
        _, step = await mori.call("POST", "/vouches", {"username": "mori", "check": "in_person"})
        assert step["error"], step
        assert (await mori.call("GET", "/me"))[1]["roles"] == ["voucher"]
        assert (await sato.call("GET", "/me"))[1]["roles"] == []


async def test_two_officials_help_over_http(running: Running) -> None:
    async with AsyncExitStack() as stack:
        names = ("sato", "mori", "hara", "suzuki")
        people = [await stack.enter_async_context(Person(running.url, n, f"{n}-pw-2026")) for n in names]
        sato, mori, hara, suzuki = people
        for someone in people:
            await someone.log_in()
        assert (await sato.call("GET", "/vouches"))[0] == 404
        assert (await sato.call("POST", "/vouches", {"username": "suzuki", "check": "call_back"}))[0] == 404
        status, me = await mori.call("GET", "/me")
        assert (status, me["roles"]) == (200, ["voucher"])
        status, step = await mori.call("POST", "/vouches", {"username": "sato", "check": "call_back"})
        assert (status, step["error"], step["activation_code"]) == (200, None, None)
        vouch = step["vouch"]["id"]
        _, step = await mori.call("POST", f"/vouches/{vouch}/confirm", {"check": "in_person"})
        assert (step["error"]["code"], step["activation_code"]) == ("same_official", None)
        assert step["error"]["text_ja"]
        _, step = await hara.call("POST", f"/vouches/{vouch}/confirm", {"check": "in_person"})
        code = step["activation_code"]
        assert code.count("-") == 2
        assert "activation_code" not in str((await mori.call("GET", "/vouches"))[1]["items"])
        # at home
        home = await stack.enter_async_context(Person(running.url, "sato", "sato-pw-2026"))
        await home.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"})
        _, state = await home.call("POST", "/login/activation", {"code": code})
        assert (state["step"], state["temporary_factor"]) == ("enrol", True)
        _, shown = await home.call("POST", "/login/enrol", {})
        secret = shown["secret"].replace(" ", "")
        _, state = await home.call("POST", "/login/enrol/confirm", {"code": pyotp.TOTP(secret).now()})
        assert state["step"] == "done"
        _, me = await home.call("GET", "/me")
        assert me["web_session"]["temporary_factor"] is True
        assert [sorted(banner) for banner in me["banners"]] == [["text_en", "text_ja"]]
        home.csrf = me["csrf_token"]
        # it opens the pool that is marked for it, and no other, whatever the rules say
        for pool_id, pool_class in (("office-desktop", "office"), ("basic-desktop", LOW_PRIVILEGE)):
            pool = {"name_ja": "庁内", "name_en": "Office", "kind": "agent", "pool_class": pool_class, "zone": "lgwan"}
            assert (await suzuki.call("PUT", f"/admin/pools/{pool_id}", pool | {"max_desktops": 5}))[0] == 200
        assert await _open_to(home) == {"office-desktop": "temporary_factor", "basic-desktop": "allowed"}
        assert await _open_to(sato) == {"office-desktop": "allowed", "basic-desktop": "allowed"}
        assert (await home.call("POST", "/sessions", {"pool_id": "office-desktop"}))[0] == 403
        # IT ends it, and with it the session at home, not the one at the office
        assert (await suzuki.call("DELETE", "/admin/users/sato/temporary-factor"))[0] == 204
        assert (await suzuki.call("DELETE", "/admin/users/sato/temporary-factor"))[0] == 404
        assert (await home.call("GET", "/me"))[0] == 401
        status, me = await sato.call("GET", "/me")
        assert (status, me["banners"]) == (200, [])


async def test_a_card_over_http(running: Running, tmp_path: Path) -> None:
    async with Person(running.url, "sato", "sato-pw-2026") as sato:
        await sato.log_in()
        assert (await sato.call("GET", "/me/emergency-card"))[1] == {"card": None}
        _, refused = await sato.call("POST", "/me/emergency-card", {"code": "000000"})
        assert (refused["pdf"], refused["error"]["code"]) == (None, "code_wrong")
        _, printed = await sato.call("POST", "/me/emergency-card", {"code": _next_code(sato)})
        assert printed["error"] is None
        sato.csrf = printed["csrf_token"]
        (tmp_path / "card.pdf").write_bytes(base64.b64decode(printed["pdf"]))
        text = _text(tmp_path / "card.pdf")
        for shown in ("緊急カード", "試験市", printed["card"]["number"], running.url):
            assert shown in text
        assert (await sato.call("GET", "/me"))[1]["recovery_codes_left"] == 10
        assert (await sato.call("DELETE", "/me/emergency-card"))[0] == 204
        assert (await sato.call("DELETE", "/me/emergency-card"))[0] == 404
        assert (await sato.call("GET", "/me"))[1]["recovery_codes_left"] == 0


async def test_a_degraded_login_over_http(running: Running, city: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        Person(running.url, "sato", "sato-pw-2026") as sato,
        Person(running.url, "suzuki", "suzuki-pw-2026") as it,
    ):
        await sato.log_in()
        await it.log_in()
        service = running.listeners._runner.app[SERVICES].auth
        monkeypatch.setattr(service._degraded, "_emergency", lambda: True)  # a declaration in force
        city.stop()
        async with Person(running.url, "sato", "sato-pw-2026") as home:
            _, state = await home.call("POST", "/login", {"username": "sato", "password": "wrong"})
            assert state["error"]["code"] == "degraded_login_failed"
            _, state = await home.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"})
            assert (state["step"], state["degraded"]) == ("totp", True)
            _, state = await home.call("POST", "/login/recovery", {"code": sato.recovery_codes[0]})
            assert state["error"]["code"] == "not_while_degraded"
            _, state = await home.call("POST", "/login/totp", {"code": _next_code(sato)})
            assert state["step"] == "done"
            _, me = await home.call("GET", "/me")
            assert me["web_session"]["degraded"] is True
            assert "縮退認証" in me["banners"][0]["text_ja"]
        status, purged = await it.call("DELETE", "/admin/degraded-login/verifiers")
        assert (status, purged) == (200, {"count": 2})
        async with Person(running.url, "sato", "sato-pw-2026") as late:
            _, state = await late.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"})
            assert state["error"]["code"] == "degraded_login_failed"
