"""What a log line may hold: also the log "for people" shows nothing but what it was given."""

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from common.log import configure, get_logger


@pytest.fixture(params=[True, False], ids=["json", "console"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The process's log in each format, without colours."""
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    configure(json=request.param)
    yield text
    structlog.reset_defaults()


def test_a_traceback_shows_no_local_variables(written: io.StringIO) -> None:
    def log_in(typed: str) -> None:
        raise RuntimeError(f"after {len(typed)} characters")

    try:
        log_in("".join(["hun", "ter2"]))
    except RuntimeError as error:
        get_logger(__name__).error("request failed", exc_info=error)
    text = written.getvalue()
    assert "RuntimeError: after 7 characters" in text
    assert "in log_in" in text
    assert "hunter2" not in text


def test_secrets_lines_and_escapes_are_made_harmless(written: io.StringIO) -> None:
    get_logger(__name__).info("login", password="hunter2", my_cookie="abc", name="a\nb\x1b[31mc", long="x" * 9_999)
    text = written.getvalue()
    assert "hunter2" not in text
    assert "abc" not in text
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert len(text) < 1_500
