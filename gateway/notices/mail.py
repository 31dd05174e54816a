"""Mail: one message to each person over a verified connection to the relay. Counterpart: `gateway.notices.outbox`.

The only place that imports the SMTP library. An outcome is a value for every parcel, whatever breaks; nothing is
raised. A repeated delivery has the same Message-ID, so that mailboxes can tell.
"""

import hashlib
import ssl
from collections.abc import Callable, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final

import aiosmtplib
from aiosmtplib import SMTP

from common.clock import TOKYO
from common.errors import ConfigError
from gateway.notices.model import NotSent, Outcome, Parcel, Sent
from gateway.notices.settings import MailSettings
from gateway.notices.texts import Words, plain

_NO_SUCH_RECIPIENT: Final = frozenset({501, 550, 551, 553, 556})
"""Replies to RCPT TO after which another try would end the same way (RFC 5321 4.2.3, RFC 7504)."""


class MailChannel:
    """Sends parcels one by one over one connection for a batch."""

    def __init__(
        self, settings: MailSettings, *, sender_name: str, words: Callable[[Parcel], Words], tls: ssl.SSLContext
    ) -> None:
        """`words` gives the text of a parcel; `tls` comes from `tls_context`."""
        self._settings: Final = settings
        self._sender_name: Final = sender_name
        self._words: Final = words
        self._tls: Final = tls

    async def send(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Outcome]]:
        """What became of each. A relay that is away is away for all of them."""
        results: list[tuple[Parcel, Outcome]] = []
        client = self._client()
        try:
            await client.connect()
            for parcel in parcels:
                results.append((parcel, await self._one(client, parcel)))  # noqa: PERF401 - kept when the next one raises
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            why = _why(error)
            results.extend((parcel, NotSent(why)) for parcel in parcels[len(results) :])
        finally:
            client.close()
        return results

    def _client(self) -> SMTP:
        own = self._settings
        return SMTP(
            hostname=own.host,
            port=own.port,
            username=own.username,
            password=own.password.reveal() if own.password else None,
            timeout=own.timeout_seconds,
            use_tls=own.security == "tls",
            start_tls=own.security == "starttls",
            tls_context=None if own.security == "plain" else self._tls,
        )

    async def _one(self, client: SMTP, parcel: Parcel) -> Outcome:
        """Raises what concerns the connection; answers what concerns this message."""
        if parcel.person.address is None:
            return NotSent("no address known", final=True)
        try:
            await client.send_message(self.message(parcel))
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            return NotSent(f"recipient refused: {code} {error.recipients[0].message}", final=code in _NO_SUCH_RECIPIENT)
        except aiosmtplib.SMTPServerDisconnected:
            raise
        except aiosmtplib.SMTPResponseException as error:
            return NotSent(_why(error))
        return Sent()

    def message(self, parcel: Parcel) -> EmailMessage:
        """The mail for a parcel. Names and subjects cannot smuggle in header lines."""
        found = self._words(parcel)
        address = parcel.person.address or ""
        domain = self._settings.sender.rpartition("@")[2]
        message = EmailMessage(policy=SMTP_POLICY.clone(max_line_length=120))
        message["Subject"] = _one_line(f"{found.subject_ja} / {found.subject_en}")
        message["From"] = Address(_one_line(self._sender_name), addr_spec=self._settings.sender)
        message["To"] = Address(_one_line(parcel.person.name), addr_spec=address)
        message["Date"] = format_datetime(parcel.notice.at.astimezone(TOKYO))
        mark = f"{parcel.notice.id}|{parcel.person.username}"
        message["Message-ID"] = f"<{hashlib.sha256(mark.encode()).hexdigest()[:32]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: absence notes must not answer
        message["Importance"] = "high"
        message.set_content(plain(found), charset="utf-8", cte="base64")
        return message


def tls_context(settings: MailSettings) -> ssl.SSLContext:
    """Trusts the configured CA, or the system's. Reads files: call it in a thread. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigError(f"notices.mail.ca_file {settings.ca_file} cannot be read: {error}") from error


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
