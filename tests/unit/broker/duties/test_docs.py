"""The guide names the columns and choices that the code takes, and its example can be imported."""

from pathlib import Path

from broker.duties import texts
from broker.duties.fields import FIELDS
from broker.duties.models import Kind, Priority, Telework
from tests.support.register import member, planned, register

PAGE = (Path(__file__).parents[4] / "docs" / "how-to" / "duties.md").read_text("utf-8")


def _row(name: str) -> list[str]:
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    return line.strip("|").split("|")[1].strip().split(", ")


def test_columns() -> None:
    for kind in Kind:
        assert _row(kind) == [field.title for field in FIELDS[kind]]


def test_choices() -> None:
    for column, words in (
        ("テレワーク区分", texts.TELEWORK),
        ("優先度", texts.PRIORITY),
        ("目標復旧時間", texts.RESUME),
        ("接続系", texts.ZONE),
    ):
        assert _row(column) == [word.ja for word in words.values()]


def test_the_example_is_a_register() -> None:
    example = PAGE.split("```yaml\n")[1].split("```")[0]
    staff = (member("0301", "inoue"), member("0302", "kimura"), member("0399", "inoue.haruka2"))
    current = register(staff=staff)
    departments = {"110": current.departments["110"]}
    example = example.replace('"1310"', next(iter(departments))).replace("office-desktop", "office")
    found = planned(current, ("duties.yaml", example))
    assert found.faults == found.orphans == ()
    duty = found.wanted.duties["shelter-operation"]
    assert (duty.telework, duty.priority, duty.substitutes) == (Telework.ALLOWED, Priority.P1, ("0399",))
