"""The reference page says what the code does."""

from pathlib import Path
from typing import Final

from broker.aftermath import aftermath
from broker.audit_names import BrokerAudit
from broker.models import EndReason, TargetSecurity
from broker.states import SEATED, TRANSITIONS, SessionState
from broker.texts import STAGE_TEXT

PAGE: Final = (Path(__file__).parents[3] / "docs" / "reference" / "sessions.md").read_text("utf-8")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its two head lines and without backquotes."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_states() -> None:
    assert _rows("States") == [
        [state, "yes" if state in SEATED else "no", STAGE_TEXT[state].ja, STAGE_TEXT[state].en]
        for state in SessionState
    ]


def test_transitions() -> None:
    assert _rows("Transitions") == [[state, event, after] for (state, event), after in TRANSITIONS.items()]


def test_reasons() -> None:
    assert [row[:3] for row in _rows("Reasons")] == [
        [reason, aftermath(reason, on_host=True), aftermath(reason, on_host=False)] for reason in EndReason
    ]


def test_audit_names_and_securities() -> None:
    for name in (*BrokerAudit, *TargetSecurity):
        assert f"`{name}`" in PAGE
