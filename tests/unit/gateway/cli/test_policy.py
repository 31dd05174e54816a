"""`kakehashi policy check`; `policy whatif` before it asks the gateway, and how it tells the answer."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.policy import policy
from gateway.cli.policy_effect import lines

SAMPLE = Path(__file__).parents[4] / "deploy" / "policy.sample.yaml"
FOUND: dict[str, Any] = {
    "version": "b" * 16,
    "against_version": "a" * 16,
    "people": 3000,
    "pools": 2,
    "situations": 40,
    "gain_people": 1200,
    "lose_people": 1,
    "counts": [
        {"pool_id": "office", "what": "desktop:connect", "gain": 1200, "lose": 0},
        {"pool_id": "net", "what": "desktop:connect", "gain": 1200, "lose": 0},
        {"pool_id": "net", "what": "terms", "gain": 0, "lose": 1},
    ],
    "changes": [
        {
            "gain": True, "what": ["desktop:connect", "desktop:view"], "pools": ["net", "office"], "people": 1200,
            "named": [], "situations": 12,
            "example": {
                "at": "2026-06-03T11:00:00Z", "place_ja": "その他の場所", "place_en": "elsewhere",
                "fact_ja": None, "fact_en": None,
            },
        },
        {
            "gain": False, "what": ["terms"], "pools": ["net"], "people": 1,
            "named": [{"username": "sato", "display_name": "佐藤 花子", "department": None}], "situations": 1,
            "example": {
                "at": "2026-06-03T11:00:00Z", "place_ja": "本庁舎", "place_en": "City hall",
                "fact_ja": "席の使用率90％", "fact_en": "90 % of the seats used",
            },
        },
    ],
}  # fmt: skip


def test_check_says_the_rules_of_a_good_file_and_ends_with_0() -> None:
    for arguments, given in (([str(SAMPLE)], None), (["-"], SAMPLE.read_bytes())):
        ran = CliRunner().invoke(policy, ["check", *arguments, "-l", "en"], input=given)
        assert (ran.exit_code, ran.output.startswith("Can be used.")) == (0, True), ran.output
        assert "GR-LIMITS" in ran.output
    assert CliRunner().invoke(policy, ["check", str(SAMPLE)]).output.startswith("使用できます。")


def test_check_says_what_is_wrong_where_and_ends_with_1(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(SAMPLE.read_text("utf-8").replace("networks: [satellite]", "networks: [satelite]"), "utf-8")
    above = bad.read_text("utf-8").partition("[satelite]")[0].splitlines()
    line = max(number for number, text in enumerate(above, 1) if text.strip() == "when:")
    for arguments, name, given in (([str(bad)], str(bad), None), (["-"], "-", bad.read_bytes())):
        ran = CliRunner().invoke(policy, ["check", *arguments, "-l", "en"], input=given)
        assert ran.exit_code == 1
        assert ran.output.startswith(f"{name}:{line}: error: [")
        assert "satellite" in ran.output
        assert "Can be used" not in ran.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nowhere.yaml"], "cannot be read"), ([str(SAMPLE), "-l", "fr"], "ja or en"), ([], "Missing argument")],
)
def test_what_cannot_be_checked_ends_with_2(arguments: list[str], said: str) -> None:
    ran = CliRunner().invoke(policy, ["check", *arguments])
    assert (ran.exit_code, said in ran.output) == (2, True), ran.output


def test_a_file_with_errors_ends_with_1_and_says_them_before_anybody_is_asked(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("format: 1\nrules: 5\n", "utf-8")
    for arguments in ([str(bad)], [str(SAMPLE), "--against", str(bad)]):
        ran = CliRunner().invoke(policy, ["whatif", *arguments, "-l", "en"])
        assert (ran.exit_code, "error: rules" in ran.output) == (1, True), ran.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yaml"], "cannot be read"),
        ([str(SAMPLE), "--against", "nowhere.yaml"], "cannot be read"),
        ([str(SAMPLE), "-l", "fr"], "ja or en"),
        ([str(SAMPLE), "--config", "nowhere.toml"], "no settings file"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(arguments: list[str], said: str) -> None:
    ran = CliRunner().invoke(policy, ["whatif", *arguments])
    assert (ran.exit_code, said in ran.output) == (2, True), ran.output


@pytest.mark.parametrize("command", [command.name for command in policy.registered_commands])
def test_every_command_explains_itself(command: str) -> None:
    assert CliRunner().invoke(policy, [command, "--help"]).exit_code == 0


def test_the_effect_in_both_languages_counts_first() -> None:
    japanese, english = list(lines(FOUND, "ja")), list(lines(FOUND, "en"))
    assert japanese[1:4] == [
        "増える人 1,200、減る人 1",
        "  +1,200 -0  接続: office, net",
        "  +0 -1  時間・文字数・画質: net",
    ]
    assert japanese[5:8] == [
        "減ること",
        "  -1人 net: 時間・文字数・画質（40通り中1通り、例: 2026-06-03（水）20:00、本庁舎から、席の使用率90％）",
        "      sato  佐藤 花子  -",
    ]
    where = "in 12 of 40 situations, such as Wed 2026-06-03 20:00 from elsewhere"
    assert english[-1] == f"  +1,200 net, office: connect, look ({where})"
    assert len(japanese) == len(english)


def test_nothing_changed_is_said() -> None:
    same = FOUND | {"counts": [], "changes": [], "gain_people": 0, "lose_people": 0}
    assert list(lines(same, "ja"))[2:] == ["だれの利用範囲も変わりません。"]
    assert list(lines(same, "en"))[2:] == ["Nothing changes for anybody."]
