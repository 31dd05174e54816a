"""A declaration in a running gateway, told by mail and reported from its real audit log."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway.services import SERVICES
from policy.bcp.model import Level
from tests.e2e.attacker import desktop
from tests.integration.gateway.test_bcp import Scene, declared, town
from tests.support.smtp import Mailbox, run_smtp
from tests.support.tls import server_context

__all__ = ["declared", "town"]


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[tuple[Mailbox, Path]]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls: ssl.SSLContext = server_context(authority)
    async with run_smtp(tls=tls) as running:
        yield running, tmp_path / "ca.pem"


@pytest.fixture
def more(mailbox: tuple[Mailbox, Path]) -> dict[str, Any]:
    """The gateway mails to the mailbox."""
    box, ca_file = mailbox
    mail = {
        "host": "127.0.0.1", "port": box.port, "ca_file": ca_file, "sender": "bcp@city.example.jp",
        "address_domain": "city.example.jp", "announce_to": ["hq@city.example.jp"],
    }  # fmt: skip
    return {"notices": {"mail": mail, "poll_seconds": 0.05}}


async def mails(box: Mailbox, count: int) -> None:
    """Wait until so many were taken."""
    async with asyncio.timeout(20):
        while len(box.envelopes) < count:  # noqa: ASYNC110 - the mails have no event
            await asyncio.sleep(0.05)


async def test_officials_are_mailed_and_the_report_counts_what_happened(
    declared: Scene, mailbox: tuple[Mailbox, Path]
) -> None:
    box, _ = mailbox
    own = declared.running.listeners._runner.app[SERVICES]
    status, _ = await declared["kato"].call("POST", "/sessions", {"pool_id": "section"})
    assert status == 403
    signed = await declared.declare()
    assert (await declared["kato"].call("POST", "/sessions", {"pool_id": "section"}))[0] == 201
    await desktop(declared["kato"], "section")
    await mails(box, 6)
    await declared["ikeda"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": "終了"})
    await mails(box, 9)
    head = await own.reports.make(signed["id"], by="森", actor="mori")
    _, report = await own.reports.get(head.id)
    assert (await own.reports.pdf(head.id, actor="mori")).startswith(b"%PDF-")
    subjects = {str(message["Subject"]) for message in box.messages()}
    assert {subject[:6] for subject in subjects} >= {"至急：発動（", "発動（第1次"}
    assert set(box.recipients()) == {"ikeda@city.example.jp", "mori@city.example.jp", "hq@city.example.jp"}
    assert [step.name for step in report.steps] == [
        "propose-declaration",
        "approve-declaration",
        "lift-declaration",
    ]
    assert report.level is Level.FIRST
    assert report.overall.sessions_widened == report.overall.people_widened == 1
    assert {entry.name for entry in report.entries} >= {"request-session", "announce-notice", "send-notices"}
    assert all(entry.normal_allowed is False for entry in report.entries if entry.name == "request-session")
