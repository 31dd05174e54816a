"""The running city's BCP plans, put in place as an administrator does: the gateway notices by itself."""

import asyncio
from typing import Any, Final

from tests.e2e.visitor import Visitor
from tests.support.city import City

GRACE_SECONDS: Final = 8
_VERSION: Final = 2
_PLAN: Final = f"""
format: 1
plans:
  - id: quake
    version: {_VERSION}
    name: {{ja: 大規模地震, en: Major earthquake}}
    grace: {GRACE_SECONDS}s
    contact: {{ja: 災害対策本部 総務班（内線 2201）, en: Emergency headquarters (ext. 2201)}}
    texts:
      allowed:
        ja: 登庁できない職員は、庁内業務デスクトップを使えます。
        en: Staff who cannot come in may use the office desktop.
      forbidden: {{ja: データの持ち出しは、今も禁止です。, en: Taking data out stays forbidden.}}
    first:
      - id: W1
        name: {{ja: 日勤と夜勤の職員は、どこからでも, en: Day and night shift from anywhere}}
        who: {{groups: [day-shift, night-shift]}}
        approval: {{ja: 本計画による包括承認, en: Standing approval by this plan}}
        places: {{anywhere: true}}
        targets: {{pools: [office-desktop]}}
      - id: W2
        name: {{ja: 登録した端末からは、インターネット用も, en: The internet desktop too from registered devices}}
        who: {{groups: [day-shift, night-shift]}}
        approval: {{ja: 本計画による包括承認, en: Standing approval by this plan}}
        places: {{anywhere: true}}
        devices: {{registered: true}}
        targets: {{pools: [internet-desktop]}}
"""


class PlanFile:
    """One plan with a short grace, which no other test needs. `restore` puts the demo's back."""

    def __init__(self, city: City) -> None:
        self._path = city.folder / "gateway" / "bcp-plans.yaml"
        self._before = self._path.read_text("utf-8")

    def put(self) -> None:
        """Put the plan in place."""
        self._path.write_text(_PLAN, "utf-8")

    async def taken(self, visitor: Visitor) -> None:
        """Wait until the gateway has read it, as somebody sees who may see the console."""
        async with asyncio.timeout(20):
            while not any(plan["version"] == _VERSION for plan in await self._plans(visitor)):  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.3)

    async def _plans(self, visitor: Visitor) -> list[dict[str, Any]]:
        answer = await visitor.context.request.get(f"{visitor.city.url}/api/v1/bcp/plans")
        items: list[dict[str, Any]] = (await answer.json())["items"]
        return items

    def restore(self) -> None:
        """Put the file back."""
        self._path.write_text(self._before, "utf-8")
