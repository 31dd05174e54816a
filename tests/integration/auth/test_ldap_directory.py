"""Login against a real slapd: every answer a person's entry can give, over LDAPS and StartTLS."""

import asyncio

import pytest

from auth.directory import NotFound, Verified, WrongPassword
from common.secret import Secret
from tests.integration.auth.conftest import Opener
from tests.support.slapd import Slapd


@pytest.mark.parametrize("security", ["ldaps", "starttls"])
async def test_right_password_gives_the_entry_with_nested_groups(
    staff: Slapd, directory: Opener, security: str
) -> None:
    result = await directory(staff, security=security).authenticate("sato", Secret("sato-pw-2026"))
    assert isinstance(result, Verified)
    assert result.entry.display_name == "佐藤 花子"
    assert result.entry.department == "税務課"
    assert result.entry.employment == "常勤"
    assert result.entry.groups == {"telework", "zeimu", "honcho"}
    assert f"entryUUID: {result.entry.key}" in staff.read(result.entry.dn, "entryUUID")


@pytest.mark.parametrize("security", ["ldaps", "starttls"])
async def test_wrong_password(staff: Slapd, directory: Opener, security: str) -> None:
    result = await directory(staff, security=security).authenticate("sato", Secret("wrong"))
    assert isinstance(result, WrongPassword)
    assert result.cause.code == 49


async def test_unknown_name_is_not_found_after_a_try_on_the_decoy(staff: Slapd, directory: Opener) -> None:
    assert isinstance(await directory(staff).authenticate("nobody", Secret("x")), NotFound)


async def test_passwords_go_out_unchanged_as_utf_8(staff: Slapd, directory: Opener) -> None:
    opened = directory(staff)
    assert isinstance(await opened.authenticate("takahashi", Secret("パスワード・漢字🔑")), Verified)
    assert isinstance(await opened.authenticate("takahashi", Secret("パスワード・漢字")), WrongPassword)


async def test_ready_asks_each_time_and_believes_no_open_connection(own: Slapd, directory: Opener) -> None:
    opened = directory(own, probe_seconds=0.2)
    assert await opened.ready()
    own.stop()
    assert not await opened.ready()
    own.start()
    async with asyncio.timeout(10):
        while not await opened.ready():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.1)
