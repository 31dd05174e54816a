"""The log-in page in a real browser, against the real directory: every way in, and every way it is refused."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.async_api import expect

from tests.e2e.page_checks import Tour
from tests.e2e.visitor import AUTHENTICATORS, Visitor, Visits
from tests.support.city import password

pytestmark = pytest.mark.asyncio(loop_scope="session")

GENERIC: Final = "ログインできませんでした。ユーザー名とパスワードを確認してください。"


async def _refused(visitor: Visitor, text: str) -> None:
    await expect(visitor.part("login-error")).to_contain_text(text)
    await expect(visitor.part("login-error")).to_have_attribute("role", "alert")


async def _read_qr(visitor: Visitor, folder: Path) -> str:
    """What an authenticator app reads from the picture on the screen."""
    image = visitor.page.locator("img.qr")
    await expect(image).to_be_visible()
    picture = folder / "qr.png"
    await image.screenshot(path=picture)
    command = shutil.which("zbarimg")
    assert command, "zbar-tools is missing (deploy/packages-test.txt)"
    reader = await asyncio.create_subprocess_exec(
        command, "--raw", "--quiet", str(picture), stdout=asyncio.subprocess.PIPE
    )
    read, _ = await asyncio.wait_for(reader.communicate(), 10)
    return read.decode().strip()


async def test_the_first_log_in_links_an_authenticator(visits: Visits, tmp_path: Path) -> None:
    await visits.newcomer("suzuki.ichirou")
    visitor = await visits.arrive()
    await visitor.submit_password("suzuki.ichirou")
    shown = re.sub(r"\s", "", await visitor.part("enrol-secret").inner_text())
    uri = urlsplit(await _read_qr(visitor, tmp_path))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path).endswith(":suzuki.ichirou")
    assert parse_qs(uri.query)["secret"] == [shown]

    codes = await visitor.enrol("suzuki.ichirou")

    await visitor.arrived("suzuki.ichirou")
    assert len(set(codes)) == 10
    await expect(visitor.part("recovery-codes-left")).to_have_text("10個")
    await expect(visitor.page.get_by_text("鈴木 一郎").first).to_be_visible()


async def test_a_wrong_password_an_unknown_and_a_retired_person_read_the_same(visits: Visits) -> None:
    visitor = await visits.arrive()
    answers = []
    for uid, given in [
        ("tanaka.misaki", "wrong-password"),
        ("nobody.here", "wrong-password"),
        ("okada.shigeru", password("okada.shigeru")),
    ]:
        await visitor.submit_password(uid, given)
        await _refused(visitor, GENERIC)
        await expect(visitor.part("login-password")).to_have_value("")
        answers.append(await visitor.part("login-error").inner_text())
        await visitor.page.reload()
        await expect(visitor.part("login-submit")).to_be_visible()
    assert len(set(answers)) == 1


async def test_wrong_and_replayed_codes_are_refused(visits: Visits) -> None:
    uid = "takahashi.shou"
    first = await visits.arrive()
    await first.log_in(uid)
    app = AUTHENTICATORS[visits.city.url, uid]

    second = await visits.arrive()
    await second.submit_password(uid)
    await second.submit_code(app.wrong())
    await _refused(second, "確認コードが違います")
    await second.part("totp-use-recovery").click()
    await expect(second.part("login-error")).to_have_count(0)  # it was about the other kind of code
    await second.part("recovery-use-totp").click()
    await second.submit_code(await app.fresh())
    await second.arrived(uid)

    third = await visits.arrive()
    await third.submit_password(uid)
    await third.submit_code(app.last())
    await _refused(third, "使用済み")
    await expect(third.part("desktops-reload")).to_have_count(0)
    assert (await third.me())["code"] == "not_signed_in"


async def test_guessing_codes_means_waiting(visits: Visits) -> None:
    uid = "katou.makoto"  # nobody else's: the account stays slow for a while
    owner = await visits.arrive()
    await owner.log_in(uid)
    app = AUTHENTICATORS[visits.city.url, uid]

    guesser = await visits.arrive()
    await guesser.submit_password(uid)
    for _ in range(5):
        async with guesser.page.expect_response("**/api/v1/login/totp"):
            await guesser.submit_code(app.wrong())
        await _refused(guesser, "確認コードが違います")
    await guesser.submit_code(await app.fresh())  # even the right one

    await _refused(guesser, "試行回数が多すぎます")
    waiting = re.search(r"約(\d+)秒後に", await guesser.part("login-error").inner_text())
    assert waiting
    assert 20 <= int(waiting[1]) <= 30


async def test_guessing_passwords_means_waiting_too(visits: Visits) -> None:
    visitor = await visits.arrive(language="en-US")
    for _ in range(5):
        async with visitor.page.expect_response("**/api/v1/login"):
            await visitor.submit_password("yamazaki.jun", "guess-guess-guess")
        await _refused(visitor, "did not succeed")
    await visitor.submit_password("yamazaki.jun")
    await _refused(visitor, "Too many tries")
    await expect(visitor.part("login-error")).to_contain_text(re.compile(r"in about \d+ seconds|\d+ (second|minute)"))


async def test_a_recovery_code_works_once_and_leads_to_a_new_authenticator(visits: Visits) -> None:
    uid = "kobayashi.aoi"
    await visits.newcomer(uid)
    first = await visits.arrive()
    await first.submit_password(uid)
    codes = await first.enrol(uid)
    await first.arrived(uid)

    lost = await visits.arrive()
    await lost.submit_password(uid)
    await lost.part("totp-use-recovery").click()
    await lost.part("recovery-code").fill(codes[0].upper())
    await lost.part("recovery-submit").click()
    await expect(lost.part("enrol-secret")).to_be_visible()
    renewed = await lost.enrol(uid)
    await lost.arrived(uid)
    assert not set(renewed) & set(codes)

    thief = await visits.arrive()
    await thief.submit_password(uid)
    await thief.part("totp-use-recovery").click()
    await thief.part("recovery-code").fill(codes[0])
    await thief.part("recovery-submit").click()
    await _refused(thief, "リカバリーコードが違うか、使用済みです")


async def test_an_expired_password_is_changed_on_the_way_in(visits: Visits) -> None:
    uid, chosen = "maeda.chihiro", "Haru-no-Sakura-2027"
    visitor = await visits.arrive()
    await visitor.submit_password(uid)
    await expect(visitor.part("new-password")).to_be_focused()
    for language in ("en", "ja"):
        await visitor.part("language").click()
        tour = Tour(visitor, language)
        await tour.look("change-password")
        tour.finish()
    await visitor.part("new-password").fill(chosen)
    await visitor.part("repeat-password").fill("something-else")
    await visitor.part("change-password-submit").click()
    await expect(visitor.page.get_by_text("2つの入力が一致していません")).to_be_visible()
    for given, answer in [("short", "短すぎます"), (password(uid), "以前に使ったパスワード")]:
        await visitor.part("new-password").fill(given)
        await visitor.part("repeat-password").fill(given)
        await visitor.part("change-password-submit").click()
        await _refused(visitor, answer)
    await visitor.part("new-password").fill(chosen)
    await visitor.part("repeat-password").fill(chosen)
    await visitor.part("change-password-submit").click()
    await visitor.enrol(uid)
    await visitor.arrived(uid)

    old = await visits.arrive()
    await old.submit_password(uid)
    await _refused(old, GENERIC)
    new = await visits.arrive()
    await new.submit_password(uid, chosen)
    await expect(new.part("totp-code")).to_be_visible()


async def test_the_page_speaks_the_browsers_language_and_the_other_on_request(visits: Visits) -> None:
    visitor = await visits.arrive(language="en-GB")
    heading = visitor.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Log in")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    await visitor.submit_password("tanaka.misaki", "wrong-password")
    await _refused(visitor, "The login did not succeed.")

    await visitor.part("language").click()

    await expect(heading).to_have_text("ログイン")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "ja")
    await _refused(visitor, GENERIC)


async def test_a_log_in_can_be_restarted_as_somebody_else(visits: Visits) -> None:
    """Bug class login_state_confusion: no factor of one person counts for another."""
    await visits.newcomer("shimizu.kaito")
    visitor = await visits.arrive()
    await visitor.submit_password("suzuki.ichirou")
    await visitor.part("login-restart").click()
    await visitor.submit_password("shimizu.kaito")
    await expect(visitor.part("enrol-secret")).to_be_visible()
    await expect(visitor.page.get_by_text("清水 海斗 さん")).to_be_visible()
