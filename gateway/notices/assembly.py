"""Builds the notices of their parts: what the gateway's composition root calls. It decides nothing."""

import asyncio
from collections.abc import Callable

from broker.duties.book import DutyBook
from common.audit import AuditSink
from common.bus import EventBus
from common.clock import Clock
from common.db import Database
from common.ids import TenantId
from common.paper import Fonts
from gateway.notices import mail, webhook
from gateway.notices.model import ChannelName, Parcel
from gateway.notices.outbox import Channel
from gateway.notices.people import Addresses, RosterPeople
from gateway.notices.service import NoticeService
from gateway.notices.settings import NoticeSettings
from gateway.notices.store import NoticeStore
from gateway.notices.texts import Words, words
from gateway.settings import TenantSettings
from policy.bcp.service import BcpService


async def build_notices(
    settings: NoticeSettings,
    *,
    tenant: TenantSettings,
    url: str,
    database: Database,
    bcp: BcpService,
    book: Callable[[], DutyBook],
    fonts: Callable[[], Fonts],
    clock: Clock,
    audit: AuditSink,
    bus: EventBus,
    addresses: Addresses | None = None,
) -> NoticeService:
    """Wired, and listening to `bcp`; its `start` begins the work. `url` is the address that people sign in at.

    Raises ConfigError (a file of the settings cannot be read).
    """

    def said(parcel: Parcel) -> Words:
        return words(parcel.notice.content, tenant_ja=tenant.name_ja, tenant_en=tenant.name_en, url=url)

    service = NoticeService(
        settings,
        tenant_id=TenantId(tenant.id),
        tenant_ja=tenant.name_ja,
        tenant_en=tenant.name_en,
        url=url,
        store=NoticeStore(database),
        declarations=bcp,
        people=RosterPeople(
            book, address_domain=settings.mail.address_domain if settings.mail else None, addresses=addresses
        ),
        channels=await _channels(settings, tenant.name_ja, said, clock),
        fonts=fonts,
        clock=clock,
        audit=audit,
        bus=bus,
    )
    bcp.subscribe(service.heard)
    return service


async def _channels(
    settings: NoticeSettings, sender_name: str, said: Callable[[Parcel], Words], clock: Clock
) -> dict[ChannelName, Channel]:
    channels: dict[ChannelName, Channel] = {}
    if settings.mail is not None:
        tls = await asyncio.to_thread(mail.tls_context, settings.mail)
        channels[ChannelName.MAIL] = mail.MailChannel(settings.mail, sender_name=sender_name, words=said, tls=tls)
    if settings.webhook is not None:
        tls = await asyncio.to_thread(webhook.tls_context, settings.webhook)
        channels[ChannelName.WEBHOOK] = webhook.WebhookChannel(settings.webhook, words=said, clock=clock, tls=tls)
    return channels
