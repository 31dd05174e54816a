"""The spool file alone: private, whole or not at all, bounded, and nothing in it can be changed unseen."""

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.audit import GENESIS, AuditEvent, ChainedEvent, chain
from common.audit_spool import Spool, SpoolFull, examine
from common.errors import ConfigError
from common.ids import TenantId

AT = datetime(2026, 4, 1, 0, 0, 0, 123456, UTC)


def _events(count: int, *, begin: int = 1, previous: str = GENESIS) -> list[ChainedEvent]:
    events = []
    for seq in range(begin, begin + count):
        event = AuditEvent("cut-viewer", TenantId("city"), actor="髙橋 𠮷\n", details={"n": seq, "理由": None})
        events.append(chain("node-1", seq, AT, event, previous))
        previous = events[-1].hash
    return events


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool.jsonl", limit_bytes=20_000)
    opened.open()
    yield opened
    opened.close()


def test_what_goes_in_comes_out_the_same_in_pages(spool: Spool) -> None:
    events = _events(7)
    spool.append(events[:3])
    spool.append(events[3:])
    first, offset = spool.page(0, 4)
    rest, end = spool.page(offset, 100)
    assert first + rest == events
    assert end == spool.size
    assert spool.page(end, 100) == ([], end)
    assert spool.hash_of(5) == events[4].hash
    assert spool.hash_of(8) is None
    spool.clear()
    assert spool.page(0, 10) == ([], 0)
    assert spool.size == 0


def test_it_is_private_and_one_gateways_alone(spool: Spool, tmp_path: Path) -> None:
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="another gateway"):
        Spool(spool.path, limit_bytes=1).open()
    spool.close()
    spool.path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        spool.open()
    (tmp_path / "link").symlink_to(spool.path)
    with pytest.raises(ConfigError, match="cannot be opened"):
        Spool(tmp_path / "link", limit_bytes=1).open()
    with pytest.raises(ConfigError, match="cannot be opened"):
        Spool(tmp_path / "no" / "folder", limit_bytes=1).open()


def test_it_never_outgrows_its_limit(spool: Spool) -> None:
    events = _events(100)
    kept = 0
    with pytest.raises(SpoolFull):  # noqa: PT012 - the loop finds the limit
        for event in events:
            spool.append([event])
            kept += 1
    assert 0 < spool.path.stat().st_size == spool.size <= 20_000
    assert examine(spool.path, "node-1").events == kept
    assert not spool.has_room()


def test_a_write_that_fails_half_way_leaves_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    events = _events(3)
    spool.append(events[:1])

    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="No space"):
            spool.append(events[1:2])
    spool.append(events[1:])
    assert examine(spool.path, "node-1").events == 3


def test_what_a_crash_left_half_written_is_cut_off(spool: Spool) -> None:
    events = _events(3)
    spool.append(events[:2])
    whole = spool.size
    spool.append(events[2:])
    os.truncate(spool.path, spool.size - 5)
    spool.close()
    spool.open()
    found = spool.recover("node-1")
    assert (found.events, found.fault, spool.size) == (2, None, whole)
    spool.append(events[2:])
    assert spool.recover("node-1").last == events[2]


@pytest.mark.parametrize(
    ("change", "sound", "fault"),
    [
        (lambda lines: [lines[0], lines[1].replace("cut-viewer", "end-viewer"), lines[2]], 1, "event 2 was altered"),
        (lambda lines: [lines[0], lines[2]], 1, "event 3 does not follow event 1"),
        (lambda lines: [lines[0], lines[2], lines[1]], 1, "event 3 does not follow event 1"),
        (lambda lines: [lines[0], "{}\n", lines[1]], 1, "damaged"),
        (lambda lines: [lines[0], "\0\0\0\n", lines[1]], 1, "damaged"),
        (lambda lines: [lines[0], "[1]\n", lines[1]], 1, "damaged"),
        (lambda lines: [lines[0], "x" * 300_000 + "\n"], 1, "damaged"),
        (lambda lines: [line.replace("node-1", "node-2") for line in lines], 0, "events of node-2"),
    ],
)
def test_a_changed_spool_is_found_and_kept_as_evidence(
    spool: Spool, change: "type[list[str]]", sound: int, fault: str
) -> None:
    spool.append(_events(3))
    lines = spool.path.read_text("utf-8").splitlines(keepends=True)
    spool.path.write_text("".join(change(lines)), "utf-8")
    changed = spool.path.read_bytes()
    found = spool.recover("node-1")
    assert found.events == sound
    assert fault in (found.fault or "")
    kept = spool.set_aside(found.sound, "distrusted-1")
    assert kept.read_bytes() == changed
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert examine(spool.path, "node-1").events == sound
    assert examine(spool.path, "node-1").fault is None


def test_lines_are_plain_json_that_a_person_can_read(spool: Spool) -> None:
    spool.append(_events(1))
    line = json.loads(spool.path.read_text("utf-8"))
    assert (line["node_id"], line["seq"], line["actor"]) == ("node-1", 1, "髙橋 𠮷\n")


def test_no_file_is_an_empty_spool(tmp_path: Path) -> None:
    assert examine(tmp_path / "none", "node-1").events == 0
