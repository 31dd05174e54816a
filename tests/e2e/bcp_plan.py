"""The running city's BCP plans, put in place as an administrator does: the gateway notices by itself."""

import asyncio
from typing import Final

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
        self._reader: Visitor | None = None

    def put(self) -> None:
        """Put the plan in place."""
        self._path.write_text(_PLAN, "utf-8")

    async def taken(self, visitor: Visitor) -> None:
        """Wait until the gateway has read it, as somebody sees who may see the console."""
        self._reader = visitor
        await self._until(in_place=True)

    async def restore(self) -> None:
        """Put the file back and wait until the gateway has read that, too: no other test may meet this plan."""
        self._path.write_text(self._before, "utf-8")
        if self._reader is not None:
            await self._until(in_place=False)

    async def _until(self, *, in_place: bool) -> None:
        async with asyncio.timeout(20):
            while (_VERSION in await self._versions()) is not in_place:  # noqa: ASYNC110 - nobody tells of a file
                await asyncio.sleep(0.3)

    async def _versions(self) -> list[int]:
        assert self._reader is not None
        answer = await self._reader.context.request.get(f"{self._reader.city.url}/api/v1/bcp/plans")
        return [plan["version"] for plan in (await answer.json())["items"]]
