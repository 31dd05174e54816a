"""People who changed are read again: what could not be read stays owed, and of two readings the newer counts."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from common.bus import LocalBus
from common.errors import StoreUnavailable
from common.ids import TenantId
from common.tasks import spawn
from gateway.oversight import Oversight
from tests.support.clock import FakeClock


class Scene:
    """One viewer, and the reading of its web session as the test wants it."""

    def __init__(self) -> None:
        self.readings: list[object] = []
        self.kept: list[object] = []
        self.noted: list[object] = []
        self.picture: object | None = object()
        self.pause = 0.0
        live = SimpleNamespace(web_session_id="web_1", user_id="usr_1", session_id="ses_1", tenant_id="city")
        parts: dict[str, Any] = dict.fromkeys(("sessions", "changes"), SimpleNamespace())
        parts["registry"] = SimpleNamespace(live=lambda: (live,))
        parts["auth"] = SimpleNamespace(web_session=self._read)
        parts["judge"] = SimpleNamespace(keep=self.kept.append)
        parts["days"] = SimpleNamespace(note=self.noted.append, settle=self._settle)
        parts["viewers"] = SimpleNamespace(of=lambda _session_id: self.picture)
        self.oversight = Oversight(
            tenant_id=TenantId("city"), bus=LocalBus(), clock=FakeClock(datetime(2026, 4, 1, tzinfo=UTC)), **parts
        )

    async def _read(self, _web_session_id: str) -> object:
        found, pause = self.readings.pop(0), self.pause
        self.pause = 0.0
        await asyncio.sleep(pause)
        if isinstance(found, Exception):
            raise found
        return found

    async def _settle(self) -> None:
        pass

    async def days(self) -> None:
        """The regular note of who is at work."""
        await cast("Any", self.oversight)._note_days()

    async def changed(self) -> None:
        """The bus says so."""
        await cast("Any", self.oversight)._person_changed("usr_1")

    async def look(self) -> None:
        """The regular look."""
        await cast("Any", self.oversight)._read_owed()


async def test_what_could_not_be_read_is_read_at_the_next_look() -> None:
    scene = Scene()
    scene.readings = [StoreUnavailable("away"), "newer"]
    with pytest.raises(StoreUnavailable):
        await scene.changed()
    assert scene.kept == []
    await scene.look()
    assert scene.kept == ["newer"]
    await scene.look()
    assert scene.kept == ["newer"], "nothing is owed any more"


async def test_of_two_changes_at_once_the_newer_reading_is_kept() -> None:
    scene = Scene()
    scene.readings, scene.pause = ["older", "newer"], 0.02
    first = spawn(scene.changed(), name="first")
    await asyncio.sleep(0)
    await scene.changed()
    await first
    assert scene.kept[-1] == "newer"


@pytest.mark.parametrize("fault", [StoreUnavailable("away"), ValueError("a fault in counting")])
async def test_days_that_cannot_be_counted_keep_nobody_signed_in(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, done = Scene(), asyncio.Event()
    monkeypatch.setattr("gateway.oversight._TOUCH_SECONDS", 0.01)
    seen: list[str] = []

    async def signed_in() -> None:
        seen.append("signed in")
        raise StoreUnavailable("away")

    async def input_noted() -> None:
        seen.append("input")

    async def days_noted() -> None:
        seen.append("days")
        done.set()
        raise fault

    for name, step in (("_keep_signed_in", signed_in), ("_note_input", input_noted), ("_note_days", days_noted)):
        monkeypatch.setattr(scene.oversight, name, step)
    task = spawn(cast("Any", scene.oversight)._keep_regularly(), name="regular look")
    async with asyncio.timeout(5):
        await done.wait()
        done.clear()
        await done.wait()
    task.cancel()
    assert seen[:6] == ["signed in", "input", "days"] * 2, "whatever fails, the other steps are done"


async def test_who_sees_a_desktop_is_noted_and_who_still_waits_for_one_is_not() -> None:
    scene = Scene()
    await scene.days()
    assert scene.noted == [("city", "usr_1")]
    scene.picture = None
    await scene.days()
    assert len(scene.noted) == 1
