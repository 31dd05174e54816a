"""The agent's socket against a gateway that was taken over: bad lines, slow lines, full house, odd channels."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from pathlib import Path

from agents.messages import DesktopState, ListRequest, OpenRequest, Refusal, Refused, Started
from common.ids import DesktopId
from tests.integration.agents.raw_rfb import RawViewer
from tests.support.agent import Agent, running_agent

_GOOD = {
    "op": "start",
    "desktop": "dsk_x",
    "user": "usr_x",
    "pool": "pol_x",
    "username": "sato",
    "display_name": "佐藤",
    "geometry": "1280x800",
}


def _say(agent: Agent, line: bytes) -> dict[str, object]:
    with agent.channel() as channel:
        channel.sendall(line)
        answer = channel.makefile("rb").readline()
        # Closed: a reset when the agent did not care to read the rest of an endless line.
        with contextlib.suppress(ConnectionResetError):
            assert channel.recv(1) == b""
    parsed = json.loads(answer)
    assert isinstance(parsed, dict)
    return parsed


def test_everything_but_the_exact_words_is_a_bad_request(agent: Agent) -> None:
    bad: list[object] = [
        [],
        {},
        {"op": "exec", "command": "id"},
        {"op": "list", "path": "/"},
        {**_GOOD, "desktop": "../../etc"},
        {**_GOOD, "desktop": "dsk\n"},
        {**_GOOD, "user": "a/b"},
        {**_GOOD, "user": ".."},
        {**_GOOD, "user": "-rf"},
        {**_GOOD, "geometry": "99999x800"},
        {**_GOOD, "geometry": "1280x800 -rfbport 5900"},
        {**_GOOD, "keyboard": "jp; id"},
        {**_GOOD, "username": "a\u0000b"},
        {**_GOOD, "display_name": "x" * 200},
        {**_GOOD, "home": "/root"},
        {**_GOOD, "progress": "yes"},
    ]
    for fields in bad:
        assert _say(agent, json.dumps(fields).encode() + b"\n") == {"ok": False, "error": "bad_request"}, fields
    for line in (b"\xff\n", b"[" * 3000 + b"\n", b'{"op":"list","op":"stats"}\n', b"x" * 5000, b"NaN\n", b"\n"):
        assert _say(agent, line) == {"ok": False, "error": "bad_request"}, line[:20]
    assert agent.call(ListRequest())


def test_channels_that_send_nothing_hold_nobody_up(agent: Agent) -> None:
    silent = [agent.channel() for _ in range(50)]
    half = agent.channel()
    half.sendall(b'{"op":"li')
    began = time.monotonic()
    assert agent.call(ListRequest())
    assert time.monotonic() - began < 3
    half.sendall(b'st"}\n')
    assert half.recv(100).startswith(b'{"ok":true')
    for channel in (half, *silent):
        channel.close()


def test_unknown_and_unready_desktops_cannot_be_opened(agent: Agent) -> None:
    assert agent.call(OpenRequest(DesktopId("dsk_none"))) == [Refused(Refusal.NOT_FOUND)]


def test_bytes_sent_behind_the_line_belong_to_the_desktop(agent: Agent) -> None:
    agent.ready("dsk_eager", "usr_eager")
    with agent.channel() as channel:
        channel.sendall(b'{"op":"open","desktop":"dsk_eager"}\nRFB 003.008\n\x01\x01')
        channel.settimeout(5)
        said = b""
        while len(said) < 30 + 12 + 2 + 4 + 24:
            said += channel.recv(4096)
        line, _, stream = said.partition(b"\n")
        assert json.loads(line)["ok"] is True
        assert stream.startswith(b"RFB 003.008\n\x01\x01\x00\x00\x00\x00")
    agent.stop("dsk_eager")


def test_two_viewers_and_one_that_leaves(agent: Agent) -> None:
    agent.ready("dsk_shared", "usr_shared")
    first, second = RawViewer(agent.stream("dsk_shared")), RawViewer(agent.stream("dsk_shared"))
    first.update()
    assert agent.info("dsk_shared").viewers == 2
    second.close()
    first.update()
    deadline = time.monotonic() + 5
    while agent.info("dsk_shared").viewers != 1:
        assert time.monotonic() < deadline
    first.close()
    agent.stop("dsk_shared")


def test_viewer_that_stops_reading_costs_the_agent_no_memory(own_agent: Agent) -> None:
    own_agent.ready("dsk_stalled", "usr_stalled")
    stalled = own_agent.stream("dsk_stalled")
    stalled.sendall(b"RFB 003.008\n\x01\x01")
    before = _resident(own_agent)
    # Raw pixels of the whole screen, 4 MB each, asked for again and again and never read.
    for _ in range(100):
        stalled.setblocking(False)
        try:
            stalled.sendall(b"\x03\x00\x00\x00\x00\x00\x05\x00\x03\x20")
        except BlockingIOError:
            break
        time.sleep(0.02)
    assert _resident(own_agent) - before < 4 << 20
    # Others are served meanwhile.
    lively = RawViewer(own_agent.stream("dsk_stalled"))
    lively.update()
    lively.close()
    stalled.close()


def _resident(agent: Agent) -> int:
    pages = int(Path(f"/proc/{agent.running.pid}/statm").read_text().split()[1])
    return pages * 4096


def test_full_house_and_full_number_range_are_told(tmp_path: Path, locale_state: Path) -> None:
    with running_agent(tmp_path / "host", "max_desktops = 1", locale_from=locale_state) as agent:
        agent.ready("dsk_one", "usr_one")
        assert agent.start("dsk_two", "usr_two") == [Refused(Refusal.FULL)]
        agent.stop("dsk_one")
        assert agent.start("dsk_two", "usr_two") == [Started(already=False)]


def test_start_that_is_given_up_by_the_caller_goes_on_and_can_be_stopped(agent: Agent) -> None:
    with agent.channel() as channel:
        channel.sendall(json.dumps({**_GOOD, "desktop": "dsk_left"}).encode() + b"\n")
        channel.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + 10
    while agent.info("dsk_left").state is not DesktopState.READY:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    agent.stop("dsk_left")
    with agent.channel() as channel:
        channel.sendall(json.dumps({**_GOOD, "desktop": "dsk_left"}).encode() + b"\n")
        time.sleep(0.1)
        agent.stop("dsk_left")
    assert agent.info("dsk_left").state in (DesktopState.ENDED, DesktopState.FAILED)
    assert agent.info("dsk_left").processes == 0
