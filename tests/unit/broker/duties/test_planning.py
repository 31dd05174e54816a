"""What disagrees inside a register, what an import would change, and the digest that ties the two together."""

from dataclasses import replace
from typing import Any

import pytest

from broker.duties import yaml_files
from broker.duties.models import Department, Kind, Priority, Register, ResumeWithin, Site, Telework
from broker.duties.planning import Op, examine
from policy.model import Zone
from tests.support.register import SHELF, codes, duty, member, planned, register


def _codes(of: Register) -> list[str]:
    return codes(planned(Register(), ("r.yaml", yaml_files.write(of))))


def test_a_sound_register_has_no_finding() -> None:
    assert _codes(register(duty("pay"))) == []


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"people": ("9999",)}, "unknown_staff"),
        ({"people": ("101",)}, "lost_zeros"),
        ({"people": ("0101", "sato")}, "duplicate_staff"),
        ({"substitutes": ("0101",)}, "both_parts"),
        ({"pools": ("gone",)}, "unknown_pool"),
        ({"desktops": ("gone",)}, "unknown_desktop"),
        ({"pools": ("net",)}, "other_zone"),
        ({"department": "999"}, "unknown_department"),
        ({"telework": Telework.NEVER}, "never_but_places"),
        ({"zone": Zone.MY_NUMBER, "pools": ("records",)}, "my_number"),
        ({"priority": Priority.P1, "resume_within": ResumeWithin.DAYS_3}, "resume_too_late"),
    ],
)
def test_faults_of_a_duty_stop_the_import(over: dict[str, Any], code: str) -> None:
    found = planned(Register(), ("r.yaml", yaml_files.write(register(duty("pay", **over)))))
    assert code in [fault.code for fault in found.faults]
    assert all(fault.line is not None for fault in found.faults)
    assert found.digest is None
    assert found.changes == ()


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"priority": Priority.P1, "resume_within": ResumeWithin.HOURS_3, "people": ()}, "no_people"),
        ({"priority": Priority.P0, "resume_within": ResumeWithin.HOURS_3, "substitutes": ()}, "no_substitute"),
        ({"pools": ()}, "no_place"),
        ({"telework": Telework.CONDITIONAL}, "no_condition"),
        ({"name_ja": "業務\ue000"}, "gaiji"),
    ],
)
def test_orphans_are_shown_and_stop_nothing(over: dict[str, Any], code: str) -> None:
    found = planned(Register(), ("r.yaml", yaml_files.write(register(duty("pay", **over)))))
    assert [orphan.code for orphan in found.orphans] == [code]
    assert found.digest is not None


def test_a_first_response_duty_whose_people_are_all_on_leave_has_nobody() -> None:
    away = register(duty("hq", priority=Priority.P1, resume_within=ResumeWithin.HOURS_3))
    staff = {key: replace(person, on_leave=key == "0101") for key, person in away.staff.items()}
    assert _codes(replace(away, staff=staff)) == ["no_people"]


def test_departments_need_an_approver_at_work() -> None:
    plain = register()
    assert _codes(replace(plain, departments={"110": Department("110", "総務課", "GA", ())})) == ["no_approver"]
    away = {key: replace(person, on_leave=True) for key, person in plain.staff.items()}
    assert _codes(replace(plain, staff=away)) == ["no_approver"]
    assert _codes(replace(plain, departments={"110": Department("110", "総務課", "GA", ("77",))})) == ["unknown_staff"]


def test_people_sites_and_departments_are_told_apart() -> None:
    twins = register(staff=(member("0103", "Ｓato"),))
    assert _codes(twins) == ["same_username"]
    mixed = register(duty("pay", people=("0102",), substitutes=()), staff=(member("0103", "0102"),))
    assert "ambiguous_staff" in _codes(mixed)
    lost = register(staff=(member("0103", "x", department="9", site="moon"),))
    assert _codes(lost) == ["unknown_department", "unknown_site"]
    two = register(
        sites={"hq": Site("hq", "本", "HQ", ("10.0.0.0/8",), 1, 1), "b": Site("b", "支", "B", ("10.0.0.0/8",), 1, 1)}
    )
    assert _codes(two) == ["same_network"]
    names = register(departments={k: Department(k, "総務課", "GA", ("0102",)) for k in ("110", "120")})
    assert _codes(names) == ["same_name"]


def test_staff_who_left_are_faults_in_the_duties_that_still_name_them() -> None:
    current = register(duty("pay"))
    only_suzuki = {"0102": current.staff["0102"]}
    text = yaml_files.write(Register(staff=only_suzuki)).split("staff:")[1].split("duties:")[0]
    found = planned(current, ("staff.yaml", f"format: 1\nstaff:{text}"))
    (fault,) = found.faults
    assert (fault.code, fault.file, fault.entry_id) == ("unknown_staff", None, "pay")


def test_differences_show_fields_before_and_after() -> None:
    current = register(duty("pay"), duty("old"))
    pay = duty("pay", telework=Telework.CONDITIONAL, condition="承認", people=("0101", "0102"), substitutes=())
    wanted = register(pay, duty("new"))
    found = planned(current, ("r.yaml", yaml_files.write(wanted)))
    assert [(change.entry_id, change.op) for change in found.changes] == [
        ("new", Op.ADDED), ("old", Op.REMOVED), ("pay", Op.CHANGED),
    ]  # fmt: skip
    fields = {field.field: (field.before, field.after) for field in found.changes[2].fields}
    assert fields == {
        "telework": ("可", "条件付"),
        "condition": ("", "承認"),
        "people": ("0101", "0101 0102"),
        "substitutes": ("0102", ""),
    }
    assert found.changes[2].fields[0].title == "テレワーク区分"


def test_lists_that_no_file_holds_stay() -> None:
    current = register(duty("pay"))
    found = planned(current, ("r.yaml", "format: 1\nduties: []"))
    assert [change.op for change in found.changes] == [Op.REMOVED]
    assert found.wanted.staff == current.staff


def test_the_digest_covers_what_was_shown() -> None:
    current = register(duty("pay"))
    one = ("r.yaml", yaml_files.write(register(duty("pay", name_en="Wages"))))
    two = ("r.yaml", yaml_files.write(register(duty("pay", name_en="Salaries"))))
    assert planned(current, one).digest == planned(current, one).digest
    assert planned(current, one).digest != planned(current, two).digest
    assert planned(current, one).digest != planned(replace(current, version=4), one).digest


def test_what_is_stored_is_looked_at_again_when_pools_have_gone() -> None:
    stored = register(duty("pay"))
    assert examine(stored, SHELF) == ()
    (gone,) = examine(stored, replace(SHELF, pools={}))
    assert (gone.code, gone.kind, gone.entry_id) == ("unknown_pool", Kind.DUTIES, "pay")
