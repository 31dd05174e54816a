"""The demo's slapd, started for real: TLS only, thirty people with Japanese names, groups, password policy."""

import base64
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.clock import SystemClock
from gateway.demo import children, city, directory, pki
from gateway.demo.children import Child, ChildFailed
from gateway.demo.directory import DirectoryFolder
from tests.support.ports import free_port

ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Running:
    """A filled directory and how to ask it."""

    def __init__(self, place: DirectoryFolder, port: int, child: Child) -> None:
        self.place = place
        self.port = port
        self.child = child

    async def search(
        self, bind_dn: str, password: str, condition: str, *wanted: str, base: str = directory.BASE_DN
    ) -> str:
        """What ldapsearch prints, with base64 values decoded."""
        command = ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", f"ldaps://127.0.0.1:{self.port}/"]
        command += ["-D", bind_dn, "-w", password, "-b", base, condition, *wanted]
        text = await children.output(command, env={**ENV, "LDAPTLS_CACERT": str(self.place.ca)}, seconds=10)
        lines = (line.split(":: ", 1) for line in text.splitlines())
        return "\n".join(
            f"{line[0]}: {base64.b64decode(line[1]).decode()}" if len(line) == 2 else line[0] for line in lines
        )


def place_in(folder: Path) -> DirectoryFolder:
    clock = SystemClock()
    ca = pki.ensure_ca(folder, clock)
    shutil.copyfile(ca.certificate, folder / "public-ca.pem")
    place = DirectoryFolder(
        folder / "ldap",
        pki.Pair(folder / "ldap" / "slapd.pem", folder / "ldap" / "slapd.key"),
        folder / "public-ca.pem",
        None,
    )
    assert directory.prepare(place)
    pki.ensure_leaf(place.folder, "slapd", ["127.0.0.1"], ca, clock)
    return place


@pytest.fixture
async def city_directory(tmp_path: Path) -> AsyncIterator[Running]:
    place, port = place_in(tmp_path), free_port()
    child = await directory.run(place, port=port, log=tmp_path / "slapd.log", env=ENV)
    try:
        await directory.fill(place, port=port, env=ENV)
        yield Running(place, port, child)
    finally:
        await child.stop()


async def test_the_service_account_reads_everybody_with_names_intact(city_directory: Running) -> None:
    place = city_directory.place
    found = await city_directory.search(
        directory.SERVICE_DN, place.service_password, "(objectClass=inetOrgPerson)", "displayName", "ou"
    )
    assert found.count("displayName: ") == len(city.staff())
    assert "displayName: 𠮷田 健太" in found
    assert "displayName: 髙橋 翔" in found
    assert "ou: 企画政策部情報政策課" in found


async def test_a_person_can_bind_and_sees_only_the_own_entry(city_directory: Running) -> None:
    person = city.staff()[0]
    dn = directory.person_dn(person.uid)
    found = await city_directory.search(dn, person.password, "(uid=*)", "uid", "memberOf", base=dn)
    assert found.count("uid: ") == 1
    with pytest.raises(ChildFailed, match="No such object"):
        await city_directory.search(dn, person.password, "(uid=*)")
    assert f"memberOf: cn={city.TELEWORK},{directory.GROUPS_DN}" in found


async def test_nobody_reads_passwords_and_the_wrong_one_is_refused(city_directory: Running) -> None:
    place, person = city_directory.place, city.staff()[0]
    assert "userPassword" not in await city_directory.search(
        directory.SERVICE_DN, place.service_password, "(uid=*)", "userPassword"
    )
    with pytest.raises(ChildFailed, match="Invalid credentials"):
        await city_directory.search(directory.person_dn(person.uid), "wrong", "(uid=*)")


async def test_the_retired_person_is_locked_and_the_new_one_must_change(city_directory: Running) -> None:
    retired = next(person for person in city.staff() if person.retired)
    with pytest.raises(ChildFailed, match="Invalid credentials"):
        await city_directory.search(directory.person_dn(retired.uid), retired.password, "(uid=*)")
    fresh = next(person for person in city.staff() if person.must_change_password)
    with pytest.raises(ChildFailed, match="Operations are restricted to bind/unbind/abandon/StartTLS/modify password"):
        await city_directory.search(directory.person_dn(fresh.uid), fresh.password, "(uid=*)")


async def test_stopping_leaves_no_process_and_a_second_start_keeps_the_city(
    city_directory: Running, tmp_path: Path
) -> None:
    await city_directory.child.stop()
    assert not os.path.exists(f"/proc/{city_directory.child.pid}")  # noqa: ASYNC240 - reads no disk
    assert not directory.prepare(city_directory.place), "the filled directory would be thrown away"
    port = free_port()
    started = time.monotonic()
    child = await directory.run(city_directory.place, port=port, log=tmp_path / "again.log", env=ENV)
    try:
        assert time.monotonic() - started < 5
        again = Running(city_directory.place, port, child)
        found = await again.search(
            directory.SERVICE_DN, city_directory.place.service_password, "(uid=satou.hanako)", "uid"
        )
        assert "uid: satou.hanako" in found
    finally:
        await child.stop()


async def test_a_directory_that_cannot_start_says_why(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    (place.folder / "slapd.conf").write_text("nonsense here\n")
    with pytest.raises(ChildFailed, match="slapd ended"):
        await directory.run(place, port=free_port(), log=tmp_path / "slapd.log", env=ENV)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a program another account")
async def test_the_program_runs_as_its_own_account(tmp_path: Path) -> None:
    child = await children.start(
        "sleep", ["sleep", "60"], log=tmp_path / "log", account=children.Account(60_803), env=ENV, folder=Path("/")
    )
    try:

        async def changed() -> bool:
            return os.stat(f"/proc/{child.pid}").st_uid == 60_803

        await child.ready(changed, 5)
    finally:
        await child.stop()
    assert child.ended
