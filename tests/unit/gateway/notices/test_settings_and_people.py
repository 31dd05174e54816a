"""What may be configured, who is told, and what is printed."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from broker.duties.book import DutyBook
from common.errors import KakehashiError
from common.paper import find_fonts
from gateway.demo import synthetic
from gateway.notices.model import ChannelName
from gateway.notices.people import RosterPeople
from gateway.notices.printable import pdf
from gateway.notices.settings import MailSettings, NoticeSettings, WebhookSettings
from gateway.notices.signing import genuine, signature
from policy.bcp.model import WHOLE_TENANT, Scope, ScopeKind
from tests.support.bcp_notices import declaration, notice, parcel, said

BOOK = DutyBook(synthetic.generate(60).register)
MAIL = {"host": "mail.example.jp", "sender": "bcp@city.example.jp"}
HOOK = {"url": "https://sms.example.jp/hook", "secret": "s" * 32}


@pytest.mark.parametrize(
    ("over", "fault"),
    [
        ({"security": "plain"}, "this machine only"),
        ({"username": "bcp"}, "go together"),
        ({"sender": "bcp@city\r\nBcc: x"}, "pattern"),
        ({"security": "none"}, "security"),
    ],
)
def test_unsafe_mail_is_refused(over: dict[str, str], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        MailSettings.model_validate(MAIL | over)
    assert MailSettings.model_validate(MAIL | {"host": "127.0.0.1", "security": "plain"}).port == 587


@pytest.mark.parametrize(
    ("over", "fault"),
    [
        ({"url": "http://sms.example.jp/"}, "https"),
        ({"url": "ftp://sms.example.jp/"}, "https"),
        ({"url": "https://user:pw@sms.example.jp/"}, "https"),
        ({"secret": "short"}, "32"),
    ],
)
def test_unsafe_webhooks_are_refused(over: dict[str, str], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        WebhookSettings.model_validate(HOOK | over)
    assert WebhookSettings.model_validate(HOOK | {"url": "http://127.0.0.1:8000/"}).timeout_seconds == 10


def test_the_order_of_channels_is_that_of_the_settings() -> None:
    both = {"mail": MAIL, "webhook": HOOK}
    assert NoticeSettings().channels == ()
    assert NoticeSettings.model_validate({"webhook": HOOK}).channels == (ChannelName.WEBHOOK,)
    assert NoticeSettings.model_validate(both).channels == (ChannelName.MAIL, ChannelName.WEBHOOK)
    turned = NoticeSettings.model_validate(both | {"first": "webhook"})
    assert turned.channels == (ChannelName.WEBHOOK, ChannelName.MAIL)


def test_a_signature_is_for_one_moment_and_one_body() -> None:
    made = signature(b"k", 1_000, b"body")
    assert genuine(b"k", "1000", b"body", made, now=1_300)
    for stamp, body, now in (("1001", b"body", 1_000), ("1000", b"bodx", 1_000), ("1000", b"body", 1_301)):
        assert not genuine(b"k", stamp, body, made, now=now)
    for stamp in ("", "-1", "1e3", "١٠٠٠", "9" * 40):
        assert not genuine(b"k", stamp, b"body", made, now=1_000)
    assert not genuine(b"k", "1000", b"body", "v1=é", now=1_000)


async def test_people_of_a_scope_are_those_of_the_register() -> None:
    people = RosterPeople(lambda: BOOK, address_domain="city.example.jp")
    everybody = await people.in_scope(WHOLE_TENANT)
    assert len(everybody) == sum(not member.on_leave for member in BOOK.register.staff.values())
    assert all(person.address == f"{person.username}@city.example.jp" for person in everybody)
    duty = next(duty for duty in BOOK.register.duties.values() if duty.substitutes)
    told = await people.in_scope(Scope(ScopeKind.DUTY, frozenset({duty.id})))
    assert {person.username for person in told} == {
        BOOK.register.staff[number].username
        for number in (*duty.people, *duty.substitutes)
        if not BOOK.register.staff[number].on_leave
    }
    unit = next(iter(BOOK.register.departments.values()))
    by_code = await people.in_scope(Scope(ScopeKind.DEPARTMENT, frozenset({unit.id})))
    assert by_code == await people.in_scope(Scope(ScopeKind.DEPARTMENT, frozenset({unit.name_ja})))
    assert people.names(Scope(ScopeKind.DUTY, frozenset({duty.id})))[duty.id][0] == duty.name_ja
    site = next(iter(BOOK.register.sites))
    assert await people.in_scope(Scope(ScopeKind.SITE, frozenset({site})))


async def test_addresses_come_from_the_directory_then_from_the_domain_and_never_forged() -> None:
    async def addresses(_usernames: Sequence[str]) -> Mapping[str, str]:
        return {"mayor": "mayor@hall.example.jp", "kiki": "kiki@x\r\nBcc: all@x"}

    people = RosterPeople(lambda: BOOK, address_domain="city.example.jp", addresses=addresses)
    found = await people.named(["mayor", "kiki", "a b", "sato@ad.example.jp", "𠮷田"])
    assert [person.address for person in found] == [
        "mayor@hall.example.jp",
        "kiki@city.example.jp",
        None,
        "sato@ad.example.jp",
        None,
    ]


async def test_a_directory_that_is_away_keeps_nobody_from_being_told() -> None:
    async def addresses(_usernames: Sequence[str]) -> Mapping[str, str]:
        raise KakehashiError("away")

    people = RosterPeople(lambda: BOOK, address_domain=None, addresses=addresses)
    assert [person.address for person in await people.named(["mayor"])] == [None]


def test_the_printed_notice_is_one_page_of_selectable_text(tmp_path: Path) -> None:
    found = notice(declaration(drill=True))
    file = tmp_path / "notice.pdf"
    file.write_bytes(pdf(found, said(parcel(notice=found)), issuer="架橋市", fonts=find_fonts()))
    text = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, timeout=30).stdout.decode()
    assert text.count("\f") == 1
    for words in ("【訓練】", "危機管理監 佐藤 花子", "住民記録端末への接続", "Staff who cannot come in"):
        assert words in text
