"""A real SMTP server (aiosmtpd) on a free loopback port, plain, with STARTTLS or with TLS from the first byte.

It keeps what it took and can be told to refuse recipients or senders, to demand a login, or to hang.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """What came in, and how the server behaves."""

    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Reply to RCPT TO by address."""
    broken: str | None = None
    """Reply to every DATA."""
    hanging: bool = False
    connections: int = 0

    def messages(self) -> list[EmailMessage]:
        """The mails, parsed."""
        found = []
        for envelope in self.envelopes:
            assert isinstance(envelope.content, bytes)
            parsed = message_from_bytes(envelope.content, policy=default)
            assert isinstance(parsed, EmailMessage)
            found.append(parsed)
        return found

    def recipients(self) -> list[str]:
        """All addresses that were served, in order."""
        return [address for envelope in self.envelopes for address in envelope.rcpt_tos]

    async def handle_RCPT(  # noqa: N802 - the library calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the recipient, or say why not."""
        if self.hanging:
            await asyncio.sleep(3600)
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Keep the mail."""
        if self.broken:
            return self.broken
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


@asynccontextmanager
async def run_smtp(
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    from_the_first_byte: bool = False,
    login: tuple[str, str] | None = None,
) -> AsyncIterator[Mailbox]:
    """Serve until the end of the block. With `tls` and not `from_the_first_byte` STARTTLS is demanded;
    a `login` needs that."""
    mailbox = Mailbox()
    options: dict[str, Any] = {"hostname": "mail.test", "enable_SMTPUTF8": False}
    if login:
        expected = LoginPassword(login[0].encode(), login[1].encode())
        options |= {
            "auth_required": True,
            "authenticator": lambda _s, _se, _e, _m, given: AuthResult(success=given == expected, handled=False),
        }
    if tls and not from_the_first_byte:
        options |= {"tls_context": tls, "require_starttls": True}
    transports: list[asyncio.BaseTransport] = []

    class Counted(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            mailbox.connections += 1
            transports.append(transport)
            super().connection_made(transport)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Counted(mailbox, loop=loop, **options), "127.0.0.1", port, ssl=tls if from_the_first_byte else None
    )
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        for transport in transports:
            if isinstance(transport, asyncio.WriteTransport):
                with contextlib.suppress(AttributeError):  # Python before 3.11.4, where TLS has ended already
                    transport.abort()
        await server.wait_closed()
