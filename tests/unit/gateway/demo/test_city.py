"""The sample city: enough people, every kind of person the guide promises, no two alike."""

from gateway.demo import city


def test_there_are_thirty_different_people() -> None:
    people = city.staff()
    assert len(people) == 30
    assert len({person.uid for person in people}) == len({person.number for person in people}) == 30


def test_login_names_are_ascii_and_names_are_japanese() -> None:
    for person in city.staff():
        assert person.uid.isascii()
        assert person.uid == person.uid.lower()
        assert not person.family.isascii()


def test_characters_that_careless_programs_break_are_there() -> None:
    names = "".join(person.display_name for person in city.staff())
    for character in ("髙", "﨑", "𠮷", "邉"):
        assert character in names


def test_every_group_has_members_and_every_membership_a_group() -> None:
    used = {group for person in city.staff() for group in person.groups}
    assert used == set(city.GROUPS)


def test_passwords_are_long_enough_for_the_directorys_policy() -> None:
    assert min(len(person.password) for person in city.staff()) >= 10


def test_there_is_one_person_of_each_special_kind() -> None:
    people = city.staff()
    assert sum(person.retired for person in people) == 1
    assert sum(person.must_change_password for person in people) == 1
    assert {person.employment for person in people} == {"regular", "fixed-term"}
