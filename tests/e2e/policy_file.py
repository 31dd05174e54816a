"""The rules in force, edited in place as an administrator edits them: the gateway notices by itself."""

import asyncio

from tests.e2e.administrator import Administrator
from tests.support.city import City


class PolicyFile:
    """The running city's policy. Each change returns when the gateway has taken it; `restore` puts the file back."""

    def __init__(self, city: City, administrator: Administrator) -> None:
        self._path = city.folder / "gateway" / "policy.yaml"
        self._before = self._path.read_text("utf-8")
        self._administrator = administrator

    async def replace(self, old: str, new: str) -> None:
        """Change a place that is there once."""
        assert self._before.count(old) == 1
        await self._write(self._before.replace(old, new))

    async def add(self, rule: str) -> None:
        """Add a rule: one line of YAML, without its id and name."""
        named = f"\n  - {{id: T-01, name: {{ja: 試験用の規則, en: Rule of a test}}, {rule}}}\n"
        await self._write(self._before + named)

    async def restore(self) -> None:
        """Put the file back."""
        await self._write(self._before)

    async def _write(self, text: str) -> None:
        if self._path.read_text("utf-8") == text:
            return
        old = await self._administrator.policy_version()
        self._path.write_text(text, "utf-8")
        async with asyncio.timeout(20):
            while await self._administrator.policy_version() == old:  # noqa: ASYNC110 - nobody tells of a new version
                await asyncio.sleep(0.1)
