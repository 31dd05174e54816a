"""Questions about a register: who has what, in which part; nobody unknown has anything."""

from dataclasses import replace
from ipaddress import ip_address

from broker.duties.book import EMPTY, DutyBook
from broker.duties.models import Part, Priority, ResumeWithin, Site
from tests.support.register import duty, register

BOOK = DutyBook(
    register(
        duty("pay"),
        duty("hq", priority=Priority.P1, resume_within=ResumeWithin.HOURS_3, people=("0102",), substitutes=("0101",)),
        sites={
            "hq": Site("hq", "本庁舎", "City hall", ("10.0.0.0/8", "2001:db8::/32"), 1, 1),
            "east": Site("east", "東支所", "East", ("10.31.0.0/20",), 1, 1),
        },
    )
)


def test_facts_name_substitutes_apart() -> None:
    assert BOOK.duties_of("sato") == {"pay", "hq#substitute"}
    assert BOOK.duties_of("ＳＡＴＯ ") == {"pay", "hq#substitute"}
    assert BOOK.duties_of("suzuki") == {"hq", "pay#substitute"}


def test_strangers_have_nothing() -> None:
    for name in ("", "nobody", "0101", "sato\0", "*"):
        assert BOOK.duties_of(name) == frozenset()
        assert BOOK.held_by(name) == ()
        assert BOOK.member(name) is None
        assert BOOK.priority_in(name, "office", substitutes=True) is None
    assert EMPTY.duties_of("sato") == frozenset()


def test_people_on_leave_have_nothing_for_now() -> None:
    plain = register(duty("pay"))
    away = {key: replace(person, on_leave=key == "0101") for key, person in plain.staff.items()}
    book = DutyBook(replace(plain, staff=away))
    assert book.duties_of("sato") == frozenset()
    assert book.held_by("sato") == ()
    assert book.people_of(["pay"]) == ()
    assert book.duties_of("suzuki") == {"pay#substitute"}


def test_duties_come_most_urgent_first() -> None:
    assert [(held.duty.id, held.part) for held in BOOK.held_by("sato")] == [
        ("hq", Part.SUBSTITUTE),
        ("pay", Part.MAIN),
    ]
    assert BOOK.held_by("sato")[0].department is not None


def test_class_in_a_pool_counts_substitutes_only_when_asked() -> None:
    assert BOOK.priority_in("sato", "office") is Priority.P2
    assert BOOK.priority_in("sato", "office", substitutes=True) is Priority.P1
    assert BOOK.priority_in("sato", "net") is None


def test_people_of_duties() -> None:
    assert [person.username for person in BOOK.people_of(["hq"])] == ["suzuki"]
    assert [person.username for person in BOOK.people_of(["hq", "gone"], substitutes=True)] == ["sato", "suzuki"]


def test_the_narrowest_network_names_the_site() -> None:
    def site(address: str) -> str | None:
        found = BOOK.site_of(ip_address(address))
        return found.id if found else None

    assert site("10.31.1.1") == "east"
    assert site("10.1.1.1") == "hq"
    assert site("2001:db8::1") == "hq"
    assert site("192.0.2.1") is None
