"""The known traps of LDAP clients, a test or more each, on a real slapd; numbered as in docs/reference/ldap.md."""

import asyncio
import base64
import json
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ldap
import pytest
import trustme
from ldap.ldapobject import SimpleLDAPObject

from auth import ldap_pool
from auth.directory import Disabled, Found, Locked, NotFound, Unreachable, Verified, WrongPassword
from auth.ldap_directory import LdapDirectory
from auth.ldap_pool import Connection, Kind, LdapPool
from auth.ldap_tls import TlsPump, client_context
from common.secret import Secret
from tests.integration.auth.conftest import Opener, ldap_settings
from tests.support.clock import FakeClock
from tests.support.slapd import (
    GROUPS_DN,
    PEOPLE_DN,
    SERVICE_DN,
    STAFF,
    Slapd,
    group,
    group_dn,
    person,
    person_dn,
    run_slapd,
)

PASSWORD = Secret("sato-pw-2026")
SOURCES = sorted(Path(ldap_pool.__file__).parent.rglob("*.py"))

AD_SCHEMA = """
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch ORDERING integerOrderingMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'supportedCapabilities'
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.38 )
objectclass ( 1.3.6.1.4.1.99999.2 NAME 'adLike' SUP top AUXILIARY
  MAY ( userAccountControl $ objectGUID $ objectSid $ primaryGroupID $ accountExpires ) )
"""


async def test_pitfall_01_an_empty_password_is_refused_without_asking(tmp_path: Path, directory: Opener) -> None:
    """slapd with bind_anon_dn says yes to an empty password, as Active Directory does."""
    with run_slapd(tmp_path / "slapd", configuration="allow bind_anon_dn") as slapd:
        bare = ldap.initialize(f"ldap://127.0.0.1:{slapd.ldap_port}")
        bare.simple_bind_s(person_dn("sato"), "")  # the trap: this succeeds
        bare.unbind_s()
        opened = directory(slapd)
        for empty in ("", "\0", "\0\0\0", "\ud800"):
            assert isinstance(await opened.authenticate("sato", Secret(empty)), WrongPassword)
        assert isinstance(await opened.authenticate("", PASSWORD), NotFound)
        assert isinstance(await opened.authenticate("nobody", Secret("")), NotFound)


def test_pitfall_01_the_connection_itself_refuses_anonymous_binds(staff: Slapd) -> None:
    with _pool(staff) as pool:
        for dn, password in (("", "pw"), (person_dn("sato"), ""), ("", "")):
            with pytest.raises(ValueError, match="anonymous"):
                pool.run(Kind.BIND, _bind_as(dn, password), time.monotonic() + 3)


def test_pitfall_02_threads_never_share_a_connection(staff: Slapd) -> None:
    """Eight threads re-bind as different people and ask who they are: never anybody else."""
    people = {"sato": "sato-pw-2026", "suzuki": "suzuki-pw-2026", "takahashi": "パスワード・漢字🔑"}
    wrong: list[str] = []
    in_use: set[int] = set()

    def work(uid: str, connection: Connection, _server: str) -> None:
        if id(connection) in in_use:
            wrong.append("shared")
        in_use.add(id(connection))
        connection.bind(person_dn(uid), people[uid])
        seen = connection._handle.whoami_s()
        if seen != f"dn:{person_dn(uid)}":
            wrong.append(seen)
        in_use.discard(id(connection))

    with _pool(staff) as pool:

        def thread(number: int) -> None:
            for turn in range(60):
                uid = list(people)[(number + turn) % 3]
                pool.run(Kind.BIND, partial(work, uid), time.monotonic() + 5)

        threads = [threading.Thread(target=thread, args=(number,)) for number in range(8)]
        for running in threads:
            running.start()
        for running in threads:
            running.join(60)
    assert wrong == []


@pytest.mark.parametrize("security", ["ldaps", "starttls", "plain"])
async def test_pitfall_03_passwords_never_cross_the_line_in_clear(
    staff: Slapd, directory: Opener, security: str
) -> None:
    """Everything between us and slapd is recorded; the unprotected case shows that the recorder sees passwords."""
    port = staff.ldaps_port if security == "ldaps" else staff.ldap_port
    with _tap(port) as (tapped, recorded):
        endpoint = {"host": "127.0.0.1", "port": tapped, "security": security}
        opened = directory(staff, servers=(endpoint,), insecure_loopback_test=security == "plain")
        assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)
    seen = b"".join(recorded)
    assert len(seen) > 500
    assert (b"sato-pw-2026" in seen) == (security == "plain")
    assert (b"service-pw" in seen) == (security == "plain")


async def test_pitfall_04_nothing_is_set_for_the_whole_process(staff: Slapd, directory: Opener) -> None:
    options = (ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_REFERRALS, ldap.OPT_NETWORK_TIMEOUT, ldap.OPT_PROTOCOL_VERSION)
    before = [ldap.get_option(option) for option in options]
    assert isinstance(await directory(staff).authenticate("sato", PASSWORD), Verified)
    assert [ldap.get_option(option) for option in options] == before


def test_pitfall_05_there_is_no_way_to_skip_verification() -> None:
    forbidden = re.compile(r"OPT_X_TLS|CERT_NONE|check_hostname|_create_unverified|ldaps://\{|ldap\.set_option")
    for source in SOURCES:
        assert not forbidden.search(source.read_text()), source


async def test_pitfall_06_localhost_is_checked_as_localhost(staff: Slapd, directory: Opener) -> None:
    endpoint = {"host": "localhost", "port": staff.ldaps_port, "security": "ldaps"}
    assert isinstance(await directory(staff, servers=(endpoint,)).authenticate("sato", PASSWORD), Verified)


def test_pitfall_08_settings_files_of_libldap_change_nothing(staff: Slapd, tmp_path: Path) -> None:
    """A hostile ldaprc and LDAP* variables: size limit 1 would lose groups, the rest would weaken or break TLS."""
    (tmp_path / "ldaprc").write_text(
        "SIZELIMIT 1\nDEREF always\nREFERRALS on\nTLS_REQCERT never\nURI ldap://192.0.2.1\n"
    )
    script = tmp_path / "login.py"
    settings = ldap_settings(staff)
    values = settings.model_dump(mode="json", exclude={"bind_password"}) | {"bind_password": "service-pw"}
    script.write_text(
        "import asyncio, json, sys\n"
        "from auth.ldap_directory import LdapDirectory\n"
        "from auth.settings import LdapSettings\n"
        "from common.clock import SystemClock\n"
        "from common.secret import Secret\n"
        "async def main():\n"
        "    d = LdapDirectory(LdapSettings.model_validate(json.loads(sys.argv[1])), SystemClock())\n"
        "    print(sorted((await d.authenticate('sato', Secret('sato-pw-2026'))).entry.groups))\n"
        "    await d.close()\n"
        "asyncio.run(main())\n"
    )
    environment = {"LDAPSIZELIMIT": "1", "LDAPTLS_REQCERT": "never", "LDAPRC": "ldaprc", "HOME": str(tmp_path)}
    root = Path(ldap_pool.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, script, json.dumps(values)],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=30,
    )
    assert done.stdout.decode().strip() == "['honcho', 'telework', 'zeimu']", done.stderr.decode()


async def test_pitfall_09_referrals_are_neither_followed_nor_counted(own: Slapd, directory: Opener) -> None:
    own.modify(
        f"dn: ou=branch,{PEOPLE_DN}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
        f"ou: branch\nref: ldap://192.0.2.1/{PEOPLE_DN}\n"
    )
    began = time.monotonic()
    assert isinstance(await directory(own).authenticate("sato", PASSWORD), Verified)
    assert time.monotonic() - began < 2


async def test_pitfall_09_a_login_needs_exactly_one_entry(own: Slapd, directory: Opener) -> None:
    twin = person("sato", "sato-pw-2026").replace(f"uid=sato,{PEOPLE_DN}", f"uid=sato,ou=branch,{PEOPLE_DN}")
    own.add(f"dn: ou=branch,{PEOPLE_DN}\nobjectClass: organizationalUnit\nou: branch\n\n{twin}")
    result = await directory(own).authenticate("sato", PASSWORD)
    assert isinstance(result, NotFound)
    assert "2 entries match" in result.cause.text


@pytest.mark.parametrize(
    "typed", ["*", "sa*", "sato)(uid=*", "sato\\2a", "\\", "(", ")", "sato\0", "sato)(|(uid=*)", "*)(objectClass=*"]
)
async def test_pitfall_10_filter_characters_mean_nothing(staff: Slapd, directory: Opener, typed: str) -> None:
    assert isinstance(await directory(staff).authenticate(typed, PASSWORD), NotFound)


async def test_pitfall_10_a_name_made_of_filter_characters_can_log_in(own: Slapd, directory: Opener) -> None:
    own.add(
        f"dn: uid=we\\28ird\\29\\2A\\\\x,{PEOPLE_DN}\nobjectClass: inetOrgPerson\nuid: we(ird)*\\x\ncn: x\nsn: x\n"
        "userPassword: strange-pw-1\n"
    )
    own.add(group("(special)*\\", f"uid=we\\28ird\\29\\2A\\\\x,{PEOPLE_DN}".replace("\\\\x", "\\5Cx")).replace(
        f"dn: cn=(special)*\\,{GROUPS_DN}", f"dn: cn=\\28special\\29\\2A\\5C,{GROUPS_DN}"
    ))  # fmt: skip
    result = await directory(own).authenticate("we(ird)*\\x", Secret("strange-pw-1"))
    assert isinstance(result, Verified)
    assert result.entry.groups == {"(special)*\\"}


async def test_pitfall_11_a_size_limit_never_gives_half_the_groups(tmp_path: Path, directory: Opener) -> None:
    many = "".join(group(f"g{number:03}", person_dn("sato")) for number in range(520))
    with run_slapd(tmp_path / "slapd", STAFF + many) as slapd:
        result = await directory(slapd).authenticate("sato", PASSWORD)
        assert isinstance(result, Unreachable)
        assert result.cause.code == ldap.SIZELIMIT_EXCEEDED.errnum
    limits = f'limits dn.exact="{SERVICE_DN}" size=unlimited'
    with run_slapd(tmp_path / "raised", STAFF + many, limits=limits) as slapd:
        result = await directory(slapd).authenticate("sato", PASSWORD)
        assert isinstance(result, Verified)
        assert len(result.entry.groups) == 523


async def test_pitfall_12_nested_groups_end_with_a_cycle(own: Slapd, directory: Opener) -> None:
    own.add(group("a", person_dn("suzuki")) + group("b", group_dn("a")) + group("c", group_dn("b")))
    own.modify(f"dn: {group_dn('a')}\nchangetype: modify\nadd: member\nmember: {group_dn('c')}\n")
    own.modify(f"dn: {group_dn('b')}\nchangetype: modify\nadd: member\nmember: {group_dn('b')}\n")
    result = await directory(own).authenticate("suzuki", Secret("suzuki-pw-2026"))
    assert isinstance(result, Verified)
    assert result.entry.groups == {"telework", "a", "b", "c"}


async def test_pitfall_12_without_nesting_only_the_first_level(staff: Slapd, directory: Opener) -> None:
    result = await directory(staff, nested_groups=False).authenticate("sato", PASSWORD)
    assert isinstance(result, Verified)
    assert result.entry.groups == {"telework", "zeimu"}


async def test_pitfall_12_active_directory_is_recognised_by_its_root_dse_alone(
    tmp_path: Path, directory: Opener
) -> None:
    """A slapd that claims AD's capability is believed, and answers AD's matching rule with silence: no groups."""
    capability = "supportedCapabilities: 1.2.840.113556.1.4.800"
    with run_slapd(tmp_path / "slapd", configuration=AD_SCHEMA, root_dse=capability) as slapd:
        result = await directory(slapd).authenticate("sato", PASSWORD)
    assert isinstance(result, Verified)
    assert result.entry.groups == frozenset()


async def test_pitfall_13_disabled_by_bit_filter(tmp_path: Path, directory: Opener) -> None:
    disabled = "userAccountControl: 514\n"
    enabled = "userAccountControl: 512\n"
    people = person("off", "off-pw-2026", extra=f"objectClass: adLike\n{disabled}") + person(
        "on", "on-pw-2026", extra=f"objectClass: adLike\n{enabled}"
    )
    with run_slapd(tmp_path / "slapd", people, configuration=AD_SCHEMA) as slapd:
        opened = directory(slapd, disabled_filter="(userAccountControl:1.2.840.113556.1.4.803:=2)")
        assert isinstance(await opened.authenticate("off", Secret("off-pw-2026")), Disabled)
        assert isinstance(await opened.authenticate("off", Secret("wrong")), WrongPassword)
        assert isinstance(await opened.authenticate("on", Secret("on-pw-2026")), Verified)


async def test_pitfall_15_binary_object_guid_is_the_key_and_finds_the_entry_again(
    tmp_path: Path, directory: Opener
) -> None:
    guid = uuid.UUID("8f1d2c3b-4a59-6877-8695-a4b3c2d1e0f0")
    spelled = base64.b64encode(guid.bytes_le).decode()
    someone = person("sato", "sato-pw-2026", extra=f"objectClass: adLike\nobjectGUID:: {spelled}\n")
    with run_slapd(tmp_path / "slapd", someone, configuration=AD_SCHEMA) as slapd:
        opened = directory(slapd, key_attribute="objectGUID")
        result = await opened.authenticate("sato", PASSWORD)
        assert isinstance(result, Verified)
        assert result.entry.key == str(guid)
        slapd.modify(f"dn: {person_dn('sato')}\nchangetype: modrdn\nnewrdn: uid=sato-hanako\ndeleteoldrdn: 1\n")
        again = await opened.lookup(str(guid))
        assert isinstance(again, Verified)
        assert again.entry.username == "sato-hanako"


async def test_pitfall_15_the_primary_group_is_found_by_its_sid(tmp_path: Path, directory: Opener) -> None:
    def sid(rid: int) -> str:
        parts = b"".join(n.to_bytes(4, "little") for n in (21, 1, 2, 3, rid))
        return base64.b64encode(b"\x01\x05\x00\x00\x00\x00\x00\x05" + parts).decode()

    ldif = (
        person("sato", "sato-pw-2026", extra=f"objectClass: adLike\nobjectSid:: {sid(1104)}\nprimaryGroupID: 513\n")
        + group("shokuin", group_dn("nobody")).rstrip()
        + f"\nobjectClass: adLike\nobjectSid:: {sid(513)}\n\n"
    )
    capability = "supportedCapabilities: 1.2.840.113556.1.4.800"
    with run_slapd(tmp_path / "slapd", ldif, configuration=AD_SCHEMA, root_dse=capability) as slapd:
        result = await directory(slapd).authenticate("sato", PASSWORD)
    assert isinstance(result, Verified)
    assert result.entry.groups == {"shokuin"}


async def test_pitfall_15_an_account_that_expires_is_found_out_by_reading_it_again(
    tmp_path: Path, directory: Opener, clock: FakeClock
) -> None:
    """AD refuses its next log-in itself; who is signed in is told by nobody else."""
    end = clock.now() + timedelta(days=1)
    filetime = int((end - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10**7
    people = {"temp": filetime, "always": 0, "never": 2**63 - 1}
    ldif = "".join(
        person(uid, f"{uid}-pw-2026", extra=f"objectClass: adLike\naccountExpires: {expires}\n")
        for uid, expires in people.items()
    ) + person("plain", "plain-pw-2026")
    capability = "supportedCapabilities: 1.2.840.113556.1.4.800"
    with run_slapd(tmp_path / "slapd", ldif, configuration=AD_SCHEMA, root_dse=capability) as slapd:
        opened = directory(slapd, clock=clock)
        keys = {}
        for uid in (*people, "plain"):
            found = await opened.find(uid)
            assert isinstance(found, Found)
            keys[uid] = found.entry.key

        async def seen() -> set[str]:
            read = {uid: await opened.lookup(key) for uid, key in keys.items()}
            everyone = await opened.everyone()
            assert not isinstance(everyone, Unreachable)
            entitled = {uid for uid, result in read.items() if isinstance(result, Verified)}
            assert {entry.username for entry in everyone} == entitled
            assert all(isinstance(read[uid], Disabled) for uid in keys.keys() - entitled)
            return entitled

        clock.advance(86_399)
        assert await seen() == {"temp", "always", "never", "plain"}
        clock.advance(1)
        assert await seen() == {"always", "never", "plain"}
        late = await opened.authenticate("temp", Secret("temp-pw-2026"))
        assert isinstance(late, Disabled)
        assert late.cause.text == "accountExpires is over"
        slapd.set(person_dn("temp"), "accountExpires", "0")
        assert await seen() == {"temp", "always", "never", "plain"}


async def test_pitfall_16_the_directorys_lock_is_seen(tmp_path: Path, directory: Opener) -> None:
    policy = {"pwdLockout": "TRUE", "pwdMaxFailure": "2", "pwdLockoutDuration": "600"}
    with run_slapd(tmp_path / "slapd", policy=policy) as slapd:
        opened = directory(slapd)
        for _ in range(2):
            await opened.authenticate("sato", Secret("wrong"))
        result = await opened.authenticate("sato", PASSWORD)
        assert isinstance(result, Locked)
        assert result.cause.code == 49
        assert result.cause.sub_code == "ppolicy:1"


async def test_pitfall_17_a_restarted_directory_costs_nobody_a_login(own: Slapd, directory: Opener) -> None:
    opened = directory(own)
    assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)
    own.stop()
    own.start()
    assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)


def test_pitfall_17_no_password_stays_in_a_pooled_connection(staff: Slapd) -> None:
    with _pool(staff) as pool:
        kept: list[Connection] = []

        def work(connection: Connection, _server: str) -> None:
            connection.bind(person_dn("sato"), PASSWORD.reveal())
            kept.append(connection)

        pool.run(Kind.BIND, work, time.monotonic() + 3)
        assert type(kept[0]._handle) is SimpleLDAPObject
        assert "sato-pw-2026" not in repr(vars(kept[0])) + repr(vars(kept[0]._handle))


@pytest.mark.parametrize("typed", ["sato", "SATO", " sato ", "ｓａｔｏ", "ＳＡＴＯ"])
async def test_pitfall_18_names_match_as_the_directory_matches(staff: Slapd, directory: Opener, typed: str) -> None:
    found = await directory(staff).find(typed)
    assert isinstance(found, Found)
    assert found.entry.username == "sato"


async def test_first_servers_failure_moves_on_and_the_probe_brings_it_back(tmp_path: Path, directory: Opener) -> None:
    ca = trustme.CA()
    with run_slapd(tmp_path / "a", ca=ca) as first, run_slapd(tmp_path / "b", ca=ca) as second:
        opened: LdapDirectory = directory(first, second, probe_seconds=0.2)
        await opened.start()
        first_name, second_name = (f"127.0.0.1:{s.ldaps_port}" for s in (first, second))
        assert await _answered_by(opened) == first_name
        first.hang()
        began = time.monotonic()
        assert await _answered_by(opened) == second_name
        assert 2.5 < time.monotonic() - began < 5
        began = time.monotonic()
        assert await _answered_by(opened) == second_name
        assert time.monotonic() - began < 1
        first.resume()
        for _ in range(50):
            if await _answered_by(opened) == first_name:
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail("the first server was not taken back")
        first.stop()
        assert await _answered_by(opened) == second_name


async def test_a_refused_service_account_is_no_wrong_password(staff: Slapd, directory: Opener) -> None:
    result = await directory(staff, bind_password=Secret("changed-yesterday")).authenticate("sato", PASSWORD)
    assert isinstance(result, Unreachable)
    assert "service account was refused" in result.cause.text


async def test_an_idle_connection_is_replaced(staff: Slapd, directory: Opener) -> None:
    opened = directory(staff, idle_recycle_seconds=0.05)
    assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)
    await asyncio.sleep(0.1)
    assert isinstance(await opened.authenticate("sato", PASSWORD), Verified)


async def test_a_key_that_is_gone_is_not_found(staff: Slapd, directory: Opener) -> None:
    assert isinstance(await directory(staff).lookup(str(uuid.uuid4())), NotFound)


async def test_unknown_names_take_as_long_as_known_ones(tmp_path: Path, directory: Opener) -> None:
    """With a costly hash. Without the decoy the difference shows, so the measurement has power."""
    hashing = "moduleload argon2\npassword-hash {ARGON2}"
    with run_slapd(tmp_path / "slapd", configuration=hashing) as slapd:
        guarded, bare = directory(slapd), directory(slapd, decoy_dn=None)
        known, unknown, unguarded = [], [], []
        await guarded.authenticate("sato", Secret("wrong"))
        await bare.authenticate("sato", Secret("wrong"))
        for _ in range(15):
            known.append(await _time_of(guarded, "suzuki"))
            unknown.append(await _time_of(guarded, f"nobody-{secrets.token_hex(3)}"))
            unguarded.append(await _time_of(bare, f"nobody-{secrets.token_hex(3)}"))
    known_ms, unknown_ms, unguarded_ms = (sorted(times)[len(times) // 2] for times in (known, unknown, unguarded))
    assert 0.6 < unknown_ms / known_ms < 1.6
    assert unguarded_ms < 0.6 * known_ms


async def _time_of(opened: LdapDirectory, name: str) -> float:
    began = time.perf_counter()
    await opened.authenticate(name, Secret("wrong"))
    return time.perf_counter() - began


async def _answered_by(opened: LdapDirectory) -> str | None:
    result = await opened.authenticate("sato", PASSWORD)
    assert isinstance(result, Verified), result
    return result.cause.endpoint


def _bind_as(dn: str, password: str) -> Callable[[Connection, str], object]:
    return lambda connection, _server: connection.bind(dn, password)


@contextmanager
def _pool(slapd: Slapd) -> Iterator[LdapPool]:
    settings = ldap_settings(slapd)
    pump = TlsPump(client_context(settings))
    pool = LdapPool(settings, pump)
    try:
        yield pool
    finally:
        pool.close()
        pump.close()


@contextmanager
def _tap(port: int) -> Iterator[tuple[int, list[bytes]]]:
    """A forwarder to a local port that keeps a copy of every byte."""
    recorded: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def copy(source: socket.socket, sink: socket.socket) -> None:
        while chunk := _received(source):
            recorded.append(chunk)
            sink.sendall(chunk)
        for end in (source, sink):
            _shut(end)

    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            ends.extend((near, far))
            for pair in ((near, far), (far, near)):
                threads.append(threading.Thread(target=copy, args=pair))
                threads[-1].start()

    threads.append(threading.Thread(target=accept))
    threads[0].start()
    try:
        yield listener.getsockname()[1], recorded
    finally:
        _shut(listener)
        for end in ends:
            _shut(end)
        for running in threads:
            running.join(5)
        for end in (listener, *ends):
            end.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _shut(end: Any) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
