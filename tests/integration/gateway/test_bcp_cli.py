"""`kakehashi bcp …` as its own process against a running gateway: every command, its errors and exit codes."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp

from common.clock import SystemClock
from tests.integration.gateway.test_bcp import Scene, declared, more, town
from tests.support.city import CHECKOUT
from tests.support.person import Person

__all__ = ["declared", "more", "town"]

REASON = ("--cause", "earthquake", "--reason", "震度6強")
PRACTICE = ("--reason", "第2回訓練")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result for programs."""
        return json.loads(self.out)


async def run(declared: Scene, uid: str, *arguments: str, given: str = "y\n", code: str | None = None) -> Ran:
    """A person at a terminal: password, code and answers come from standard input. Each code works once, so the person
    sets up the authenticator anew and uses the code after the one that did that."""
    await declared.running.admin("DELETE", f"/users/{uid}/factors")
    async with Person(declared.running.url, uid, f"{uid}-pw-2026") as person:
        await person.log_in()
        assert person.secret
        code = code or pyotp.TOTP(person.secret).at(int(SystemClock().now().timestamp()) + 30)
    ca = Path(str(declared.running.settings.http.certificate_file)).parent / "tls-ca.pem"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "bcp", *arguments,
        "--url", declared.running.url, "--user", uid, "--ca", str(ca),
        cwd=CHECKOUT, start_new_session=True,  # no terminal: what is asked for is read from standard input
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(child.communicate(f"{uid}-pw-2026\n{code}\n{given}".encode()), 60)
    assert child.returncode is not None
    return Ran(child.returncode, out.decode(), err.decode())


async def test_a_declaration_from_first_signature_to_report(declared: Scene, tmp_path: Path) -> None:
    unknown, proposed = await asyncio.gather(
        run(declared, "ikeda", "declare", "flood", *REASON),
        run(declared, "mori", "declare", "quake", *REASON, "--hours", "20", "--json"),
    )
    assert (unknown.status, unknown.out, "計画" in unknown.err, "plan" in unknown.err) == (1, "", True, True)
    assert (proposed.status, proposed.json["state"]) == (0, "awaiting_approval"), proposed.err
    declaration = proposed.json["id"]
    alone, refused = await asyncio.gather(
        run(declared, "mori", "approve", declaration),
        run(declared, "ikeda", "approve", declaration, "--names", given="n\n"),
    )
    assert "    kato (kato, " in refused.out
    assert (alone.status, "waits for no signature of yours" in alone.err) == (1, True)
    assert (refused.status, "nothing was signed" in refused.err, "people gain something" in refused.out) == (
        1,
        True,
        True,
    )
    approved = await run(declared, "ikeda", "approve", declaration, "--json")
    assert (approved.status, approved.json["state"]) == (0, "active"), approved.err

    shown, longer, effect = await asyncio.gather(
        run(declared, "ota", "status"),
        run(declared, "mori", "extend", declaration, "48", "--json"),
        run(declared, "ikeda", "whatif", "quake"),
    )
    assert (effect.status, "people gain something" in effect.out, "section" in effect.out) == (0, True, True)
    assert (shown.status, declaration in shown.out, "section" in shown.out) == (0, True, True)
    assert (longer.status, longer.json["pending"]["person"]) == (0, "mori"), longer.err
    unsure = await run(declared, "ikeda", "reject", declaration, "--note", "早い", given="n\n")
    assert (unsure.status, "nothing was rejected" in unsure.err, "proposed by mori" in unsure.out) == (1, True, True)
    turned_down = await run(declared, "ikeda", "reject", declaration, "--note", "早い", "--json")
    assert (turned_down.status, turned_down.json["pending"], turned_down.json["state"]) == (0, None, "active")
    reached, narrowed, wrong = await asyncio.gather(
        run(declared, "ota", "reach", declaration, "--names", "--json"),
        run(declared, "mori", "narrow", declaration, "--hours", "2", "--block", "kato", "--json"),
        run(declared, "ikeda", "status", code="000000"),
    )
    assert {"total", "classes", "duties", "people"} <= reached.json.keys()
    assert (narrowed.status, narrowed.json["state"]) == (0, "active"), narrowed.err
    assert narrowed.json["ends_at"] < approved.json["ends_at"]
    assert not await declared.may_work("kato")
    assert (wrong.status, "コード" in wrong.err, "code" in wrong.err) == (1, True, True), wrong.err
    lifted, looking = await asyncio.gather(
        run(declared, "mori", "lift", declaration, "--note", "終了", "--json"),
        run(declared, "ota", "report", "make", declaration),
    )
    assert (lifted.json["state"], looking.status) == ("lifted", 1)
    made = await run(declared, "mori", "report", "make", declaration, "--json")
    assert made.status == 0, made.err
    report, file = made.json["id"], tmp_path / "report.csv"
    saved, listed, told = await asyncio.gather(
        run(declared, "ota", "report", "get", report, str(file)),
        run(declared, "mori", "report", "list"),
        run(declared, "ikeda", "report", "show", report),
    )
    assert (saved.status, file.read_bytes()[:3]) == (0, b"\xef\xbb\xbf")
    assert (listed.status, report in listed.out, made.json["sha256"][:16] in listed.out) == (0, True, True), listed.err
    assert (told.status, report in told.out, f"sha256 {made.json['sha256']} (checked)" in told.out) == (0, True, True)


async def test_a_drill_that_pretends_and_its_score(declared: Scene) -> None:
    wrong, started = await asyncio.gather(
        run(declared, "ikeda", "drill", "quake", *PRACTICE, "--site-down", "atlantis"),
        run(declared, "mori", "drill", "quake", *PRACTICE, "--absent", "30", "--half-capacity", "--json"),
    )
    assert (wrong.status, "atlantis" in wrong.err) == (1, True), wrong.err
    assert (started.status, started.json["state"], started.json["injects"]["absent_percent"]) == (0, "active", 30)
    drills, told, score = await asyncio.gather(
        run(declared, "ikeda", "drills"),
        run(declared, "ota", "score", started.json["id"]),
        run(declared, "mori", "score", started.json["id"], "--json"),
    )
    assert (told.status, "one signature" in told.out) == (0, True), told.err
    assert (drills.status in (0, 3), started.json["id"] in drills.out) == (True, True), drills.err
    assert (score.json["alone"], score.json["refused"], score.json["rehearsed"]) == (True, 0, 0)
