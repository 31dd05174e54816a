"""Names in the sandbox's account files."""

from __future__ import annotations

import pytest

from agents.accounts import account, group_text, passwd_text


@pytest.mark.parametrize(
    ("username", "login"),
    [
        ("sato", "sato"),
        ("Sato.Hanako", "sato.hanako"),
        ("佐藤", "user"),
        ("a b", "user"),
        ("../etc", "user"),
        ("root", "user"),
        ("1st", "user"),
        ("x" * 40, "user"),
        ("a:b", "user"),
        ("sato@city.example", "user"),
    ],
)
def test_login_names_are_plain(username: str, login: str) -> None:
    person = account(username, "x", 70_000)
    assert person.login == login
    assert person.home == f"/home/{login}"


def test_account_files_hold_one_person_and_no_extra_field() -> None:
    person = account("sato", "佐藤:0:0,\\\n花子", 70_001)
    lines = passwd_text(person).splitlines()
    assert len(lines) == 3
    assert all(line.count(":") == 6 for line in lines)
    assert lines[1] == "sato:x:70001:70001:佐藤00花子:/home/sato:/bin/bash"
    assert "sato:x:70001:\n" in group_text(person)
