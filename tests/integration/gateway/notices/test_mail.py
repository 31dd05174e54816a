"""Mail against a real SMTP server: encrypted or not at all, every fault an outcome, headers that cannot be forged."""

import ssl
from pathlib import Path

import pytest
import trustme

from common.errors import ConfigError
from common.secret import Secret
from gateway.notices.mail import MailChannel, tls_context
from gateway.notices.model import NotSent, Sent
from gateway.notices.settings import MailSettings
from tests.support.bcp_notices import declaration, notice, parcel, said
from tests.support.ports import free_port
from tests.support.smtp import run_smtp
from tests.support.tls import client_context, server_context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def channel(port: int, tls: ssl.SSLContext | None = None, **over: object) -> MailChannel:
    values: dict[str, object] = {"host": "127.0.0.1", "port": port, "sender": "bcp@city.example.jp"}
    values |= {"security": "starttls" if tls else "plain", "timeout_seconds": 5} | over
    settings = MailSettings.model_validate(values)
    return MailChannel(settings, sender_name="架橋市 危機管理課", words=said, tls=tls or ssl.create_default_context())


async def test_each_person_gets_one_mail_over_one_encrypted_connection(authority: trustme.CA) -> None:
    async with run_smtp(tls=server_context(authority)) as mailbox:
        out = channel(mailbox.port, client_context(authority))
        results = await out.send([parcel("tanaka"), parcel("yamada")])
    assert [outcome for _, outcome in results] == [Sent(), Sent()]
    assert mailbox.recipients() == ["tanaka@city.example.jp", "yamada@city.example.jp"]
    assert (mailbox.connections, mailbox.encrypted) == (2, [True, True])  # STARTTLS makes a second protocol object
    message = mailbox.messages()[0]
    assert message["Subject"] == "発動（第1次）のお知らせ（架橋市） / Notice: Activation, level 1 (Kakehashi City)"
    assert message["To"] == "田中 𠮷之 <tanaka@city.example.jp>"
    assert message["From"] == "架橋市 危機管理課 <bcp@city.example.jp>"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    for words in (
        "令和8年4月1日（2026年）9時00分",
        "危機管理監 佐藤 花子（承認・職務代行）",
        "Staff who cannot come in may use the office desktop from home",
    ):
        assert words in text


async def test_tls_from_the_first_byte(authority: trustme.CA) -> None:
    async with run_smtp(tls=server_context(authority), from_the_first_byte=True) as mailbox:
        ((_, outcome),) = await channel(mailbox.port, client_context(authority), security="tls").send([parcel()])
    assert outcome == Sent()
    assert len(mailbox.envelopes) == 1


async def test_a_login_is_used_and_a_wrong_one_is_tried_again_later(authority: trustme.CA) -> None:
    async with run_smtp(tls=server_context(authority), login=("bcp", "pw")) as mailbox:
        tls = client_context(authority)
        good = channel(mailbox.port, tls, username="bcp", password=Secret("pw"))
        assert [outcome for _, outcome in await good.send([parcel()])] == [Sent()]
        wrong = channel(mailbox.port, tls, username="bcp", password=Secret("no"))
        ((_, outcome),) = await wrong.send([parcel()])
    assert isinstance(outcome, NotSent)
    assert "SMTPAuthenticationError" in outcome.why
    assert not outcome.final
    assert len(mailbox.envelopes) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_unknown_certificate_gets_nothing(authority: trustme.CA, security: str) -> None:
    other = trustme.CA()
    async with run_smtp(tls=server_context(other), from_the_first_byte=security == "tls") as mailbox:
        ((_, outcome),) = await channel(mailbox.port, client_context(authority), security=security).send([parcel()])
    assert isinstance(outcome, NotSent)
    assert not outcome.final
    assert mailbox.envelopes == []


async def test_a_relay_without_starttls_gets_nothing(authority: trustme.CA) -> None:
    async with run_smtp() as mailbox:
        ((_, outcome),) = await channel(mailbox.port, client_context(authority)).send([parcel()])
    assert isinstance(outcome, NotSent)
    assert mailbox.envelopes == []


async def test_a_refused_recipient_is_final_and_holds_up_nobody() -> None:
    async with run_smtp() as mailbox:
        mailbox.refused = {"gone@city.example.jp": "550 no such user", "full@city.example.jp": "452 mailbox full"}
        results = await channel(mailbox.port).send([parcel("gone"), parcel("full"), parcel("tanaka")])
    gone, full, tanaka = [outcome for _, outcome in results]
    assert isinstance(gone, NotSent)
    assert gone.final
    assert isinstance(full, NotSent)
    assert not full.final
    assert tanaka == Sent()
    assert mailbox.recipients() == ["tanaka@city.example.jp"]


async def test_a_relay_that_refuses_messages_or_is_away_or_hangs_is_tried_again() -> None:
    async with run_smtp() as mailbox:
        mailbox.broken = "451 try later"
        results = await channel(mailbox.port).send([parcel("a"), parcel("b")])
        mailbox.hanging = True
        results += await channel(mailbox.port, timeout_seconds=0.2).send([parcel("c"), parcel("d")])
    results += await channel(free_port()).send([parcel("e"), parcel("f")])
    assert len(results) == 6
    assert all(isinstance(outcome, NotSent) and not outcome.final for _, outcome in results)
    assert mailbox.envelopes == []


async def test_nobody_without_an_address_is_tried() -> None:
    async with run_smtp() as mailbox:
        ((_, outcome),) = await channel(mailbox.port).send([parcel(address=None)])
    assert outcome == NotSent("no address known", final=True)


async def test_names_and_reasons_cannot_smuggle_header_lines() -> None:
    evil = "花子\r\nBcc: all@city.example.jp\r\n\r\nx"
    found = notice(declaration(reason=evil))
    async with run_smtp() as mailbox:
        out = channel(mailbox.port)
        await out.send([parcel(name=evil, notice=found)])
        await out.send([parcel(name=evil, notice=found)])
    first, second = mailbox.messages()
    assert first["Bcc"] is None
    assert mailbox.recipients() == ["tanaka@city.example.jp"] * 2
    assert first["Message-ID"] == second["Message-ID"]  # the same delivery twice can be told


async def test_a_drill_is_marked_in_subject_top_and_bottom() -> None:
    async with run_smtp() as mailbox:
        await channel(mailbox.port).send([parcel(notice=notice(declaration(drill=True)))])
    (message,) = mailbox.messages()
    assert message["Subject"].startswith("【訓練】")
    assert "[DRILL]" in message["Subject"]
    lines = message.get_content().strip().splitlines()
    assert lines[0].startswith("【訓練】")
    assert lines[-1].startswith("[DRILL]")


def test_a_missing_ca_file_is_a_configuration_fault(tmp_path: Path) -> None:
    settings = MailSettings(host="mail.example.jp", sender="bcp@city.example.jp", ca_file=tmp_path / "none.pem")
    with pytest.raises(ConfigError, match="ca_file"):
        tls_context(settings)
