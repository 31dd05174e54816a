"""Deadlines, snapshots, seals, bundles, reminders, settings, and the table of the twelve guardrails."""

import ast
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from common.ids import PoolId, TenantId, UserId
from common.secret import Keyring
from policy.bcp import bundle
from policy.bcp.bundle import Bundle, BundleDistrusted
from policy.bcp.model import Level, Official, Scope, ScopeKind
from policy.bcp.overlay import EMPTY, ActiveDeclaration, Deadline, Snapshot, activated
from policy.bcp.sealing import TenantKey
from policy.bcp.settings import BcpSettings
from policy.bcp.twelve import TWELVE
from policy.bcp.watch import due_reminder
from policy.guardrails import GUARDRAILS
from tests.support.bcp import CITY, EAST, TOWN, people, plan, pools
from tests.unit.policy.bcp.test_declaration import DAY, HOUR, MINUTE, NOW, active, drafted, proposed

ROOT = Path(__file__).parents[4]


# ---- time ----------------------------------------------------------------------------------------------------------


def test_a_deadline_comes_when_the_clock_says_so() -> None:
    deadline = Deadline(NOW + HOUR, NOW, 100.0)
    assert not deadline.passed(NOW + HOUR - MINUTE, 3640.0)
    assert deadline.passed(NOW + HOUR, 3700.0)


def test_a_clock_set_back_does_not_put_it_off() -> None:
    deadline = Deadline(NOW + HOUR, NOW, 100.0)
    assert not deadline.passed(NOW - DAY, 100.0 + 3599)
    assert deadline.passed(NOW - DAY, 100.0 + 3600)


def test_what_was_seen_once_stays_seen() -> None:
    deadline = Deadline(NOW + HOUR, NOW, 0.0)
    assert not deadline.passed(NOW + 30 * MINUTE, 1.0)
    assert deadline.seen(NOW, 61.0) == NOW + 31 * MINUTE
    assert deadline.passed(NOW + HOUR, 62.0)
    assert deadline.passed(NOW - DAY, 62.0)


# ---- snapshot ------------------------------------------------------------------------------------------------------


def item(**over: Any) -> ActiveDeclaration:
    made = active(**over) if not over.get("drill") and over.get("level") is not Level.ALERT else proposed(**over)
    named = replace(made, id=f"bcp_{sorted(map(str, over.items()))}"[:60])
    found = activated(named, plan(), Deadline(named.ends_at, NOW, 0.0))
    assert found is not None
    return found


def test_nothing_declared_covers_nobody() -> None:
    assert EMPTY.overlays_for(people()[0], pools()[0], NOW, 0.0) == ()
    assert EMPTY.rules() == ()
    assert EMPTY.level_for(people()[0], pools()[0], NOW, 0.0) is None


def test_the_strongest_comes_first_and_each_is_named() -> None:
    both = Snapshot([item(), item(level=Level.SECOND, scope=EAST)])
    east, other = people()[1], people()[2]
    assert [o.level.name for o in both.overlays_for(east, pools()[0], NOW, 0.0)] == ["SECOND", "FIRST"]
    assert [o.level.name for o in both.overlays_for(other, pools()[0], NOW, 0.0)] == ["FIRST"]
    assert [o.level.name for o in both.overlays_for(other, pools()[1], NOW, 0.0)] == ["SECOND", "FIRST"]
    assert both.level_for(east, pools()[0], NOW, 0.0) is Level.SECOND
    assert both.level_for(other, pools()[0], NOW, 0.0) is Level.FIRST
    assert len({rule.id for rule in both.rules()}) == len(both.rules()) == 2


def test_alert_widens_nothing_but_is_a_level() -> None:
    alert = Snapshot([item(level=Level.ALERT)])
    assert alert.overlays_for(people()[0], pools()[0], NOW, 0.0) == ()
    assert alert.level_for(people()[0], pools()[0], NOW, 0.0) is Level.ALERT
    assert alert.rules() == ()


def test_scopes_reach_whom_they_name() -> None:
    tax = Snapshot([item(scope=Scope(ScopeKind.DEPARTMENT, frozenset({"税務課"})))])
    water = Snapshot([item(scope=Scope(ScopeKind.DUTY, frozenset({"water"})))])
    for index, person in enumerate(people()):
        assert bool(tax.overlays_for(person, pools()[0], NOW, 0.0)) is (index == 2)
        assert bool(water.overlays_for(person, pools()[0], NOW, 0.0)) is (index == 3)


def test_another_tenant_and_blocked_people_get_nothing() -> None:
    made = item()
    whole = Snapshot([made])
    stranger, own = people(TOWN)[0], people()[0]
    assert whole.overlays_for(stranger, pools(TOWN)[0], NOW, 0.0) == ()
    assert whole.overlays_for(own, pools(TOWN)[0], NOW, 0.0) == ()
    assert whole.overlays_for(stranger, pools()[0], NOW, 0.0) == ()
    blocked = replace(made, declaration=replace(made.declaration, blocked=frozenset({own.user_id})))
    assert Snapshot([blocked]).overlays_for(own, pools()[0], NOW, 0.0) == ()
    assert Snapshot([blocked]).overlays_for(people()[1], pools()[0], NOW, 0.0)


def test_a_drill_reaches_its_own_pools_and_gives_way_to_the_real_thing() -> None:
    drill = item(drill=True)
    alone = Snapshot([drill])
    reached = [resource.pool_id for resource in pools() if alone.overlays_for(people()[1], resource, NOW, 0.0)]
    assert reached == [PoolId("drill")]
    assert alone.level_for(people()[1], pools()[2], NOW, 0.0) is None
    assert Snapshot([drill, item(level=Level.ALERT)]).rules() == ()


def test_what_was_read_too_long_ago_is_not_believed() -> None:
    stale = Snapshot([item()], Deadline(NOW + HOUR, NOW, 0.0))
    assert stale.overlays_for(people()[0], pools()[0], NOW, 3599.0)
    assert stale.overlays_for(people()[0], pools()[0], NOW, 3600.0) == ()
    assert stale.in_force(NOW, 3600.0) == ()


def test_a_declaration_of_another_plan_is_not_believed() -> None:
    made = active()
    deadline = Deadline(made.ends_at, NOW, 0.0)
    assert activated(made, plan(grace="5m"), deadline) is None
    assert activated(made, plan(version=2), deadline) is None
    assert activated(drafted(), plan(), deadline) is None


# ---- seals and bundle ----------------------------------------------------------------------------------------------


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.load_or_create(tmp_path / "keys.json")


def test_a_seal_covers_everything_but_the_time_seen(keyring: Keyring) -> None:
    sealed = TenantKey.new_sealed(keyring, CITY)
    key, again = TenantKey.opened(sealed, keyring, CITY), TenantKey.opened(sealed, keyring, CITY)
    made = active()
    seal = key.sign(made)
    assert again.is_ours(made, seal)
    assert again.is_ours(replace(made, seen_at=NOW + HOUR), seal)
    altered: list[dict[str, Any]] = [
        {"ends_at": NOW + 10 * DAY},
        {"level": Level.SECOND},
        {"scope": EAST},
        {"version": 9},
        {"tenant_id": TOWN},
        {"blocked": frozenset({UserId("usr_x")})},
        {"signatures": ()},
    ]
    assert not any(key.is_ours(replace(made, **change), seal) for change in altered)
    assert not key.is_ours(made, None)
    assert not key.is_ours(made, "x")
    other = TenantKey.opened(TenantKey.new_sealed(keyring, TOWN), keyring, TOWN)
    assert not other.is_ours(made, seal)


def written(path: Path, keyring: Keyring) -> Bundle:
    sealed = TenantKey.new_sealed(keyring, CITY)
    key, made = TenantKey.opened(sealed, keyring, CITY), active()
    versions = {made.id: made.version}
    signed, former = ((made, key.sign(made)),), ((made, NOW),)
    whole = Bundle(CITY, sealed, NOW, NOW, signed, former, (plan(),), versions, {"quake": 3})
    bundle.write(path, whole, key)
    return whole


def test_the_bundle_is_private_and_read_again_as_it_was(tmp_path: Path, keyring: Keyring) -> None:
    path = tmp_path / "bundle.json"
    assert bundle.read(path, keyring, CITY) is None
    whole = written(path, keyring)
    assert path.stat().st_mode & 0o777 == 0o600
    assert bundle.read(path, keyring, CITY) == whole
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix == ".new"] == []


@pytest.mark.parametrize("harm", ["readable", "date", "seal", "key", "cut", "empty", "binary", "shape", "tenant"])
def test_a_harmed_bundle_is_not_used(harm: str, tmp_path: Path, keyring: Keyring) -> None:
    path = tmp_path / "bundle.json"
    written(path, keyring)
    text = path.read_text()
    tenant = CITY
    match harm:
        case "readable":
            path.chmod(0o640)
        case "date":
            path.write_text(text.replace("2026-06-06", "2026-06-16"))
        case "seal":
            whole = json.loads(text)
            path.write_text(json.dumps({**whole, "seal": whole["seal"][::-1]}))
        case "key":
            keyring = Keyring.load_or_create(tmp_path / "other.json")
        case "cut":
            path.write_text(text[: len(text) // 2])
        case "empty":
            path.write_text("")
        case "binary":
            path.write_bytes(b"\xff\xfe\0" * 9)
        case "shape":
            path.write_text("[1]")
        case _:
            tenant = TenantId("town")
    with pytest.raises(BundleDistrusted):
        bundle.read(path, keyring, tenant)


# ---- reminders, settings, guardrails -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "reminded", "due"),
    [
        (25, None, None),
        (24, None, 24),
        (23, 24, None),
        (4, 24, 4),
        (3, None, 4),
        (1, 4, 1),
        (0.5, 1, None),
        (0, None, None),
    ],
)
def test_reminders_come_once_each(left: float, reminded: int | None, due: int | None) -> None:
    made = active()
    known = None if reminded is None else reminded * HOUR
    found = due_reminder(made, known, made.ends_at - left * HOUR)
    assert found == (None if due is None else due * HOUR)


def test_a_short_declaration_is_not_reminded_of_what_lay_before_it() -> None:
    made = active(ends_at=NOW + 4 * HOUR)
    assert due_reminder(made, None, NOW) is None
    assert due_reminder(made, None, NOW + 3 * HOUR) == HOUR
    assert due_reminder(drafted(), None, NOW + 71 * HOUR) is None


def test_officials_come_from_the_settings() -> None:
    settings = BcpSettings.model_validate(
        {
            "officials": [
                {"username": "mayor", "rank": 1, "title_ja": "市長", "title_en": "Mayor", "until": "2027-03-31"},
                {
                    "username": "branch",
                    "rank": 4,
                    "title_ja": "東支所長",
                    "title_en": "Branch",
                    "scopes": [{"kind": "site", "ids": ["east"]}],
                },
            ]
        }
    )
    mayor, branch = (official.official() for official in settings.officials)
    assert mayor.until == datetime(2027, 3, 31, 15, 0, tzinfo=UTC)
    assert mayor.may_sign_for(EAST, NOW)
    assert branch == Official("branch", 4, "東支所長", "Branch", (EAST,))
    assert settings.officials[0].until == date(2027, 3, 31)


@pytest.mark.parametrize(
    "officials",
    [
        [{"username": "a", "rank": 0, "title_ja": "長", "title_en": "Head"}],
        [{"username": "a", "rank": 1, "title_ja": "長", "title_en": "Head", "scopes": [{"kind": "site"}]}],
        [
            {
                "username": "a",
                "rank": 1,
                "title_ja": "長",
                "title_en": "Head",
                "scopes": [{"kind": "tenant", "ids": ["x"]}],
            }
        ],
        [{"username": name, "rank": 1, "title_ja": "長", "title_en": "Head"} for name in ("a", "A")],
    ],
)
def test_a_wrong_list_of_officials_is_refused(officials: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"official|scope|rank"):
        BcpSettings.model_validate({"officials": officials})


def test_twelve_guardrails_each_enforced_somewhere_and_tested() -> None:
    assert [guard.number for guard in TWELVE] == list(range(1, 13))
    for guard in TWELVE:
        assert guard.name_ja
        assert guard.name_en
        assert guard.enforced
        assert guard.tests
        for place in guard.enforced:
            module, word = place.split(":", 1)
            spec = find_spec(module)
            assert spec is not None, place
            assert spec.origin is not None, place
            assert word in Path(spec.origin).read_text("utf-8"), place
        for test in guard.tests:
            file, name = test.split("::")
            tree = ast.parse((ROOT / file).read_text("utf-8"))
            found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert name in found, test


def test_the_table_knows_every_guardrail_of_the_policy() -> None:
    assert {rule for guard in TWELVE for rule in guard.rules} == {rule.id for rule in GUARDRAILS}


def test_deadline_arithmetic_is_exact_enough() -> None:
    deadline = Deadline(NOW + timedelta(days=14), NOW, 1e9)
    assert abs((deadline.seen(NOW, 1e9) - NOW).total_seconds()) < 1e-3
