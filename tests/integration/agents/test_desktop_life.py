"""A desktop's life on a real host: start, use, log-off, crash, stop, and the agent's own end."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest
from PIL import Image

from agents.messages import (
    DesktopState,
    EndCause,
    Progress,
    Refusal,
    Refused,
    Stage,
    Started,
    Stats,
    StatsRequest,
    StopRequest,
)
from common.ids import DesktopId
from tests.integration.agents.inside import first_process, run_inside, uid_of
from tests.integration.agents.raw_rfb import RawViewer
from tests.support.agent import Agent, processes_of, running_agent, uid_base


def _wait_for_state(agent: Agent, desktop: str, state: DesktopState) -> None:
    deadline = time.monotonic() + 10
    while agent.info(desktop).state is not state:
        assert time.monotonic() < deadline, agent.info(desktop)
        time.sleep(0.05)


def _is_furnished(image: Image.Image) -> bool:
    """Whether the panel is there (a light bar at the bottom) and the wallpaper above it."""
    panel = image.getpixel((image.width // 2, image.height - 20))
    wall = image.getpixel((image.width // 2, 40))
    assert isinstance(panel, tuple)
    assert isinstance(wall, tuple)
    return min(panel) > 200 and wall == (0x3D, 0x6B, 0x83)


def test_start_goes_through_its_stages_and_shows_a_furnished_desktop(agent: Agent) -> None:
    began = time.monotonic()
    answers = agent.start("dsk_stages", "usr_stages", progress=True)
    took = time.monotonic() - began
    assert answers[-1] == Started(already=False)
    assert [answer.stage for answer in answers if isinstance(answer, Progress)] == [
        Stage.PREPARING,
        Stage.DISPLAY,
        Stage.SESSION,
    ]
    assert took < 10, f"{took:.2f} s"  # 0.4 s on an idle machine
    viewer = RawViewer(agent.stream("dsk_stages"))
    assert (viewer.width, viewer.height) == (1280, 800)
    viewer.wait_for(_is_furnished, 10)
    viewer.resize(1024, 768)
    deadline = time.monotonic() + 5
    while viewer.width != 1024:
        viewer.update()
        assert time.monotonic() < deadline
    assert agent.info("dsk_stages").viewers == 1
    viewer.close()
    agent.stop("dsk_stages")


def test_start_is_idempotent_and_ids_belong_to_one_user(agent: Agent) -> None:
    agent.ready("dsk_twice", "usr_a")
    pid = agent.info("dsk_twice").pid
    assert agent.start("dsk_twice", "usr_a") == [Started(already=True)]
    assert agent.info("dsk_twice").pid == pid
    assert agent.start("dsk_twice", "usr_b") == [Refused(Refusal.CONFLICT)]
    agent.stop("dsk_twice")
    agent.stop("dsk_twice")
    assert agent.call(StopRequest(DesktopId("dsk_never"))) == [Refused(Refusal.NOT_FOUND)]


def test_session_speaks_japanese(agent: Agent) -> None:
    agent.ready("dsk_ja", "usr_ja")
    info = agent.info("dsk_ja")
    said = run_inside(info, "locale charmap; date -d 2026-04-01 +%B; LC_ALL= ls /nowhere 2>&1; getent passwd $(id -u)")
    assert "UTF-8\n4月\n" in said.stdout, said
    assert "ファイルやディレクトリ" in said.stdout, said
    assert "佐藤 花子" in said.stdout, said
    assert f"layout:{' ' * 5}jp" in run_inside(info, "setxkbmap -query").stdout
    agent.stop("dsk_ja")


def test_japanese_input_works_with_the_hankaku_zenkaku_key(agent: Agent) -> None:
    """Types ひらがな into a real editor by scancodes, then reads what was saved: the whole path from key to file."""
    agent.ready("dsk_ime", "usr_ime")
    info = agent.info("dsk_ime")
    viewer = RawViewer(agent.stream("dsk_ime"))
    viewer.wait_for(_is_furnished, 10)
    run_inside(info, "touch ~/note.txt; setsid mousepad ~/note.txt >/dev/null 2>&1 </dev/null & sleep 0.1")
    viewer.wait_for(lambda image: image.getpixel((640, 380)) != (0x3D, 0x6B, 0x83), 15)
    deadline = time.monotonic() + 40
    while "日本語" not in run_inside(info, "cat ~/note.txt").stdout:
        # The editor comes up in its own time; a round that came too early is undone by the next.
        assert time.monotonic() < deadline
        # 1: the input method knows the editor and is off.
        run_inside(info, "fcitx5-remote -c; until fcitx5-remote | grep -qx 1; do sleep 0.1; done 2>/dev/null")
        _replace_all(viewer, "nihongo")
    viewer.close()
    agent.stop("dsk_ime")


def _replace_all(viewer: RawViewer, romaji: str) -> None:
    _with_control(viewer, "a")
    viewer.key("Zenkaku_Hankaku")
    time.sleep(0.3)
    viewer.type(romaji)
    viewer.key("space")
    time.sleep(0.5)
    viewer.key("Return")
    viewer.key("Zenkaku_Hankaku")
    time.sleep(0.2)
    _with_control(viewer, "s")
    time.sleep(0.5)


def _with_control(viewer: RawViewer, key: str) -> None:
    viewer.key("Control_L", hold=True)
    viewer.key(key)
    viewer.key("Control_L", hold=False)


def test_home_is_kept_and_private(own_agent: Agent) -> None:
    own_agent.ready("dsk_one", "usr_keeps")
    run_inside(own_agent.info("dsk_one"), "echo 続き > ~/note; umask")
    uid = uid_of(own_agent.info("dsk_one"))
    own_agent.stop("dsk_one")
    own_agent.ready("dsk_two", "usr_keeps")
    info = own_agent.info("dsk_two")
    assert uid_of(info) == uid
    assert run_inside(info, "cat ~/note; stat -c %a ~").stdout == "続き\n700\n"


def test_log_off_inside_ends_the_desktop(agent: Agent) -> None:
    agent.ready("dsk_off", "usr_off")
    run_inside(agent.info("dsk_off"), "openbox --exit")
    _wait_for_state(agent, "dsk_off", DesktopState.ENDED)
    assert agent.info("dsk_off").cause is EndCause.LOGGED_OFF
    assert agent.info("dsk_off").pid is None


def test_crash_of_one_display_is_told_and_touches_no_other(agent: Agent) -> None:
    agent.ready("dsk_a", "usr_a")
    agent.ready("dsk_b", "usr_b")
    uid = uid_of(agent.info("dsk_a"))
    stream = RawViewer(agent.stream("dsk_a"))
    other = RawViewer(agent.stream("dsk_b"))
    run_inside(agent.info("dsk_a"), "pkill -KILL Xtigervnc")
    _wait_for_state(agent, "dsk_a", DesktopState.ENDED)
    assert agent.info("dsk_a").cause is EndCause.CRASHED
    with pytest.raises((EOFError, OSError)):
        stream.update()
    assert processes_of(uid) == []
    other.update()
    assert agent.info("dsk_b").state is DesktopState.READY
    other.close()
    stream.close()
    # The same id starts again, as a new desktop.
    agent.ready("dsk_a", "usr_a")
    agent.stop("dsk_a")
    agent.stop("dsk_b")


def test_window_manager_that_dies_comes_back(agent: Agent) -> None:
    agent.ready("dsk_wm", "usr_wm")
    info = agent.info("dsk_wm")
    run_inside(info, "pkill -KILL openbox")
    deadline = time.monotonic() + 10
    while run_inside(info, "pgrep -c openbox").stdout != "1\n":
        assert time.monotonic() < deadline
    assert agent.info("dsk_wm").state is DesktopState.READY
    agent.stop("dsk_wm")


def test_programs_get_time_to_end_and_none_outlives_the_stop(own_agent: Agent) -> None:
    own_agent.ready("dsk_stop", "usr_stop")
    info = own_agent.info("dsk_stop")
    uid = uid_of(info)
    run_inside(info, "(trap 'echo saved > ~/saved; exit' TERM; while :; do sleep 0.1; done) >/dev/null 2>&1 &")
    run_inside(info, "(trap '' TERM HUP; while :; do sleep 0.1; done) >/dev/null 2>&1 &")
    own_agent.stop("dsk_stop")
    assert (own_agent.homes_dir / "usr_stop" / "saved").read_text() == "saved\n"
    assert processes_of(uid) == []
    assert not (own_agent.runtime_dir / "dsk_stop").exists()


def test_agent_told_to_stop_leaves_nothing(own_agent: Agent) -> None:
    own_agent.ready("dsk_one", "usr_one")
    uid = uid_of(own_agent.info("dsk_one"))
    assert own_agent.terminate() == 0
    assert processes_of(uid) == []
    assert not own_agent.socket_path.exists()
    assert list(own_agent.runtime_dir.iterdir()) == []
    display = Path("/tmp/.X11-unix/X1")
    assert not display.exists() or display.stat().st_uid != uid
    label = hashlib.sha256(os.fsencode(own_agent.state_dir)).hexdigest()[:8]
    assert not list(Path("/sys/fs/cgroup").rglob(f"*{label}*"))


def test_agent_that_is_killed_takes_its_desktops_along_and_the_next_one_clears_up(
    tmp_path: Path, locale_state: Path
) -> None:
    folder = tmp_path / "host"
    with running_agent(folder, locale_from=locale_state) as agent:
        agent.ready("dsk_one", "usr_one")
        info = agent.info("dsk_one")
        uid, first = uid_of(info), first_process(info)
        agent.running.send_signal(signal.SIGKILL)
        agent.running.wait(5)
        deadline = time.monotonic() + 5
        while processes_of(uid) or Path(f"/proc/{first}").exists():
            assert time.monotonic() < deadline, "a desktop outlives its agent"
            time.sleep(0.02)
    with running_agent(folder, locale_from=locale_state) as agent:
        assert list(agent.runtime_dir.iterdir()) == []
        agent.ready("dsk_one", "usr_one")
        assert uid_of(agent.info("dsk_one")) == uid
        (stats,) = agent.call(StatsRequest())
        assert isinstance(stats, Stats)
        assert stats.desktops == 1
        assert 0 < stats.memory_available <= stats.memory_total


def test_session_that_cannot_come_up_is_told_and_cleaned_up(tmp_path: Path, locale_state: Path) -> None:
    broken = tmp_path / "desktop"
    broken.mkdir()
    (broken / "session.sh").write_text("#!/bin/sh\necho no display here >&2\nexit 70\n")
    (broken / "session.sh").chmod(0o755)
    (broken / "etc" / "chromium").mkdir(parents=True)
    (broken / "etc" / "chromium.d").mkdir()
    with running_agent(tmp_path / "host", f'desktop_dir = "{broken}"', locale_from=locale_state) as agent:
        assert agent.start("dsk_broken", "usr_x") == [Refused(Refusal.START_FAILED)]
        assert agent.info("dsk_broken").state is DesktopState.FAILED
        assert "no display here" in agent.log_path.read_text()
        (broken / "session.sh").write_text("#!/bin/sh\nsleep 1000\n")
    slow = f'desktop_dir = "{broken}"\nstart_timeout_seconds = 1'
    with running_agent(tmp_path / "slow", slow, locale_from=locale_state) as agent:
        assert agent.start("dsk_slow", "usr_x") == [Refused(Refusal.START_TIMED_OUT)]
        assert processes_of(uid_base(tmp_path / "slow")) == []
