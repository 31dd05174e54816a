"""What the demo prints: complete, aligned in Japanese, honest when desktops cannot be started."""

from gateway.demo import city, guide


def test_the_welcome_names_address_accounts_and_steps_in_both_languages() -> None:
    text = guide.welcome("https://localhost:8443", ca="ca.pem", accounts="accounts.txt", desktops=True)
    assert "https://localhost:8443" in text
    assert "satou.hanako" in text
    assert city.staff()[0].password in text
    assert "お試しください" in text
    assert "What to try" in text


def test_it_does_not_promise_desktops_without_root() -> None:
    text = guide.welcome("https://localhost:8443", ca="ca.pem", accounts="accounts.txt", desktops=False)
    assert "sudo make demo" in text
    assert "Open the office desktop" not in text


def test_the_list_has_everybody_and_its_columns_stand_under_each_other() -> None:
    lines = guide.account_list().splitlines()
    assert len(lines) == 1 + len(city.staff())
    for line, person in zip(lines[1:], city.staff(), strict=True):
        before = line[: line.index(person.department)]
        assert guide.columns(before) == guide.columns(lines[0][: lines[0].index("所属")])
