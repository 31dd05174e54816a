"""What the browser loads and what the pages may do: small, from one origin only, under a policy that is kept."""

from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import CDPSession, Page, Response, expect

from tests.e2e.visitor import Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST_LOAD_BYTES: Final = 300 * 1024
VIEWER_BYTES: Final = 150 * 1024
_FORBIDDEN: Final = ("'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*")


class Traffic:
    """What goes over the network, by Chromium's own count: headers and compressed bodies."""

    def __init__(self, device: CDPSession) -> None:
        self.bytes = 0
        self._device = device

    @classmethod
    async def of(cls, page: Page) -> "Traffic":
        """Begin to count."""
        traffic = cls(await page.context.new_cdp_session(page))
        traffic._device.on("Network.loadingFinished", traffic._add)
        await traffic._device.send("Network.enable")
        await traffic._device.send("Network.setCacheDisabled", {"cacheDisabled": True})
        return traffic

    def _add(self, event: dict[str, float]) -> None:
        self.bytes += int(event["encodedDataLength"])


async def test_the_first_load_is_small_and_comes_from_one_origin(
    visits: Visits, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = await visits.arrive(path="/login")
    await expect(visitor.part("login-submit")).to_be_visible()
    answers: list[Response] = []
    visitor.page.on("response", lambda answer: answers.append(answer))
    traffic = await Traffic.of(visitor.page)
    await visitor.page.reload(wait_until="networkidle")
    await expect(visitor.part("login-submit")).to_be_visible()

    hosts = {urlsplit(answer.url).netloc for answer in answers if not answer.url.startswith("data:")}
    assert hosts == {urlsplit(visits.city.url).netloc}
    with capsys.disabled():
        print(f"\n[load] log-in page: {traffic.bytes / 1024:.0f} KB over the network")  # noqa: T201 - a measurement
    assert 50_000 < traffic.bytes <= FIRST_LOAD_BYTES


async def test_the_viewer_is_fetched_only_when_it_is_needed(visits: Visits) -> None:
    visitor = await visits.signed_in("mori.ayumi")
    traffic = await Traffic.of(visitor.page)
    await visitor.open_desktop("office-desktop")
    assert 20_000 < traffic.bytes <= VIEWER_BYTES


async def test_every_answer_carries_a_strict_policy_and_forbids_storing(visits: Visits) -> None:
    visitor = await visits.arrive(path="/login")
    answers: list[Response] = []
    visitor.page.on("response", lambda answer: answers.append(answer))
    await visitor.page.reload(wait_until="networkidle")
    assert len(answers) > 3
    for answer in answers:
        if not answer.url.startswith("https:"):
            continue
        headers = await answer.all_headers()
        assert headers["cache-control"] == "no-store", answer.url
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not [word for word in policy.replace(";", " ").split() if word in _FORBIDDEN]


async def test_a_script_or_style_that_is_not_ours_does_not_run(visits: Visits) -> None:
    """The policy is not only sent: the browser keeps it, and tells when something breaks it."""
    visitor = await visits.arrive()
    await expect(visitor.part("login-submit")).to_be_visible()
    assert visitor.faults == []
    visitor.tolerated += ["Content Security Policy", "TrustedHTML", "Trusted"]
    ran = await visitor.page.evaluate(
        """async () => {
            const told = [];
            document.addEventListener('securitypolicyviolation', event => told.push(event.effectiveDirective));
            const script = document.createElement('script');
            try { script.textContent = 'window.stolen = 1'; } catch (error) { told.push(error.name); }
            document.body.append(script);
            try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); } catch (error) { told.push(error.name); }
            await fetch('https://elsewhere.example/').catch(() => undefined);
            await new Promise(resolve => setTimeout(resolve, 50));
            return [window.stolen ?? null, told];
        }"""
    )
    assert ran[0] is None
    assert "TypeError" in ran[1]
    assert "connect-src" in ran[1]
