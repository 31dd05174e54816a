"""The synthetic city in a real slapd: everybody can be found, is in the right groups, and can log in."""

from pathlib import Path

from gateway.demo.directory import staff_ldif
from gateway.demo.synthetic import FULL, generate
from tests.support.slapd import GROUPS_DN, PEOPLE_DN, run_slapd

_PEOPLE = FULL


def test_a_real_directory_takes_the_synthetic_city(tmp_path: Path) -> None:
    city = generate(_PEOPLE)
    with run_slapd(tmp_path / "slapd", staff_ldif(city.people, people_dn=PEOPLE_DN, groups_dn=GROUPS_DN)) as slapd:
        person = city.people[-1]
        found = slapd.read(f"uid={person.uid},{PEOPLE_DN}", "employeeNumber", "memberOf", "ou")
        assert f"employeeNumber: {person.number}" in found
        for group in person.groups:
            assert f"memberOf: cn={group},{GROUPS_DN}" in found
