"""The head office is down: one's own PC cannot be used and says why; the pool in another building is one press away."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.administrator import Administrator
from tests.e2e.page_checks import Tour
from tests.e2e.policy_file import PolicyFile
from tests.e2e.visitor import Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN, OUTSIDE = "own-pc", "office-desktop"
UID: Final = "kimura.naoki"
POOL: Final = {"name_ja": "自席の端末", "name_en": "Own PC", "kind": "static", "zone": "lgwan", "max_desktops": 1}
NOBODY_THERE: Final = {
    "pool_id": OWN, "name_ja": "木村の端末", "name_en": "PC of Kimura", "address_kind": "tcp", "host": "127.0.0.1",
    "port": 1, "security": ["none"],
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def own_pc(administrator: Administrator, policy: PolicyFile) -> AsyncIterator[None]:
    """An own PC in a building without power."""
    await administrator.put(f"/pools/{OWN}", POOL)
    await administrator.put("/desktops/own-1", NOBODY_THERE)
    await policy.add(f"effect: permit, when: {{groups: [telework], pools: [{OWN}]}}")
    yield
    await administrator.end_all(UID)
    await administrator.delete("/desktops/own-1")
    await administrator.delete(f"/pools/{OWN}")


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_pool_outside_is_offered_in_place_of_an_own_pc_that_is_down(
    own_pc: None, visits: Visits, administrator: Administrator, language: str
) -> None:
    employee = await visits.signed_in(UID, language={"ja": "ja-JP", "en": "en-US"}[language])
    tour = Tour(employee, language)
    await employee.part(f"desktop-open-{OWN}").click()
    assert await employee.ended() == "failed"
    await employee.part("end-desktops").click()
    told = employee.part(f"desktop-unreachable-{OWN}")
    await expect(told).to_contain_text({"ja": "端末から応答がありません", "en": "does not answer"}[language])
    await tour.look("office-down")
    tour.finish()
    await employee.part(f"desktop-instead-{OWN}").click()
    await employee.picture_shows()
    await administrator.end_all(UID)
