"""What `kakehashi bcp` refuses before it asks anybody for a password: exit code 2 and what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.bcp import bcp

WHO = ("--url", "https://gateway.example", "--user", "mori")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("narrow", "dec_1"), "say what to narrow"),
        (("declare", "quake"), "--reason"),
        (("drill", "quake", "--reason", "x", "--hours", "9"), "--hours"),
        (("extend", "dec_1", "0"), "hours"),
        (("report", "get", "rep_1", "report.doc"), ".pdf or .csv"),
        (("reject", "dec_1"), "--note"),
        (("nothing",), "nothing"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(arguments: tuple[str, ...], said: str) -> None:
    ran = CliRunner().invoke(bcp, [*arguments, *WHO])
    assert (ran.exit_code, said in ran.output) == (2, True), ran.output


def test_a_report_never_overwrites_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(b"kept")
    ran = CliRunner().invoke(bcp, ["report", "get", "rep_1", str(file), *WHO])
    assert (ran.exit_code, file.read_bytes()) == (2, b"kept")


@pytest.mark.parametrize("command", [command.name for command in bcp.registered_commands])
def test_every_command_explains_itself(command: str) -> None:
    ran = CliRunner().invoke(bcp, [command, "--help"])
    assert ran.exit_code == 0
    assert "--url" in ran.output
