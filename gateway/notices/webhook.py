"""Signed calls to an SMS or chat gateway. Counterparts: `gateway.notices.outbox`, and the receiver in the settings.

One call holds one notice: announced as such, or with the people who could not be reached otherwise. Redirects are not
followed and no other address is ever called. An outcome is a value; nothing is raised.
"""

import hashlib
import json
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from common.clock import Clock
from common.errors import ConfigError
from gateway.notices.model import NOBODY, Notice, NotSent, Outcome, Parcel, Sent
from gateway.notices.settings import WebhookSettings
from gateway.notices.signing import DELIVERY, SIGNATURE, TIMESTAMP, signature
from gateway.notices.texts import Words, plain

_FORMAT: Final = 1


class WebhookChannel:
    """Posts parcels, those of one notice together."""

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        words: Callable[[Parcel], Words],
        clock: Clock,
        tls: ssl.SSLContext,
    ) -> None:
        """`words` gives the text of a parcel; `tls` comes from `tls_context`."""
        self._settings: Final = settings
        self._words: Final = words
        self._clock: Final = clock
        self._tls: Final = tls

    async def send(self, parcels: Sequence[Parcel]) -> list[tuple[Parcel, Outcome]]:
        """What became of each."""
        groups: dict[tuple[str, bool], list[Parcel]] = {}
        for parcel in parcels:
            groups.setdefault((parcel.notice.id, parcel.person.username == NOBODY), []).append(parcel)
        results: list[tuple[Parcel, Outcome]] = []
        timeout = ClientTimeout(total=self._settings.timeout_seconds)
        connector = TCPConnector(ssl=self._tls)
        async with ClientSession(timeout=timeout, connector=connector, trust_env=False) as session:
            for group in groups.values():
                outcome = await self._post(session, group)
                results.extend((parcel, outcome) for parcel in group)
        return results

    async def _post(self, session: ClientSession, group: Sequence[Parcel]) -> Outcome:
        body = self.body(group)
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: str(timestamp),
            SIGNATURE: signature(self._settings.secret.reveal().encode(), timestamp, body),
            DELIVERY: hashlib.sha256(body).hexdigest()[:32],
        }
        try:
            async with session.post(self._settings.url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            return NotSent(f"{type(error).__name__}: {error}"[:300])
        return Sent() if 200 <= status < 300 else NotSent(f"status {status}")

    def body(self, group: Sequence[Parcel]) -> bytes:
        """The JSON for parcels of one notice."""
        notice, words = group[0].notice, self._words(group[0])
        recipients = [
            {"username": parcel.person.username, "name": parcel.person.name}
            for parcel in group
            if parcel.person.username != NOBODY
        ]
        content = {
            "format": _FORMAT,
            "type": "people" if recipients else "announcement",
            "recipients": recipients,
            **_facts(notice),
            "subject_ja": words.subject_ja,
            "subject_en": words.subject_en,
            "short_ja": f"{words.subject_ja} {words.lead_ja}",
            "short_en": f"{words.subject_en} {words.lead_en}",
            "text": plain(words),
        }
        return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _facts(notice: Notice) -> dict[str, Any]:
    content = notice.content
    return {
        "notice_id": notice.id,
        "tenant": notice.tenant_id,
        "declaration_id": notice.declaration_id,
        "kind": notice.kind,
        "audience": notice.audience,
        "drill": content.drill,
        "level": content.level,
        "at": notice.at.isoformat(),
        "starts_at": content.starts_at.isoformat() if content.starts_at else None,
        "ends_at": content.ends_at.isoformat(),
    }


def tls_context(settings: WebhookSettings) -> ssl.SSLContext:
    """Trusts the configured CA, or the system's. Reads files: call it in a thread. Raises ConfigError."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigError(f"notices.webhook.ca_file {settings.ca_file} cannot be read: {error}") from error
