"""Settings of notices: `[notices]`. Counterparts: the channels. Without any, notices show on screen and in print."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from common.secret import Secret
from common.settings import Section
from gateway.notices.model import ChannelName

_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$"
_DOMAIN = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$"


def _loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class MailSettings(Section):
    """The mail relay. Its certificate is always checked."""

    host: str = Field(min_length=1, description="DNS name of the mail relay; must be in its certificate.")
    port: int = Field(587, ge=1, le=65535, description="TCP port.")
    security: Literal["starttls", "tls", "plain"] = Field(
        "starttls",
        description="`starttls` (demanded, never optional), `tls` from the first byte; `plain` to loopback only.",
    )
    ca_file: Path | None = Field(
        None, description="PEM file of the CA that signed the relay's certificate; none: system."
    )
    username: str | None = Field(None, description="Name to log in with; none: without logging in.")
    password: Secret[str] | None = Field(None, description="Password to log in with.")
    sender: str = Field(pattern=_ADDRESS, description="Address that notices come from.")
    address_domain: str | None = Field(
        None,
        pattern=_DOMAIN,
        description="People without a known address get `<user name>@` this domain; none: no mail.",
    )
    announce_to: tuple[str, ...] = Field(
        (), description="Addresses that get every notice, such as the crisis desk's list."
    )
    timeout_seconds: float = Field(20, ge=0.1, le=120, description="How long one step of a delivery may take.")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.security == "plain" and not _loopback(self.host):
            raise ValueError("security = plain is for a relay on this machine only; use starttls or tls")
        if (self.username is None) is not (self.password is None):
            raise ValueError("username and password go together")
        return self


class WebhookSettings(Section):
    """A gateway to SMS or chat. It gets signed JSON; see docs/how-to/bcp-notices.md."""

    url: str = Field(description="Where to post; https, or http to loopback. The only address that is ever called.")
    secret: Secret[str] = Field(description="Key of the HMAC-SHA256 signature, 32 characters or more.")
    ca_file: Path | None = Field(None, description="PEM file of the CA that signed its certificate; none: system.")
    timeout_seconds: float = Field(10, ge=0.1, le=60, description="How long one call may take.")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        parts = urlsplit(self.url)
        if not parts.hostname or parts.username or parts.fragment or parts.scheme not in ("https", "http"):
            raise ValueError("url must look like https://name/path")
        if parts.scheme == "http" and not _loopback(parts.hostname):
            raise ValueError("url must be https; http is for this machine only")
        if len(self.secret.reveal()) < 32:
            raise ValueError("secret needs 32 characters or more")
        return self


class NoticeSettings(Section):
    """`[notices]` in the settings file."""

    mail: MailSettings | None = Field(None, description="Mail to people; none: no mail.")
    webhook: WebhookSettings | None = Field(None, description="Signed calls to an SMS or chat gateway; none: no calls.")
    first: ChannelName = Field(
        ChannelName.MAIL, description="By which way people are told; the other one takes over for whom it fails."
    )
    switch_after: int = Field(3, ge=1, le=20, description="Failed attempts after which the second way is tried, too.")
    give_up_hours: float = Field(24, gt=0, le=168, description="How long a delivery is tried again.")
    poll_seconds: float = Field(10, ge=0.05, le=300, description="How often waiting deliveries are looked for.")

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        """Those that are set up, the first one first."""
        there = {ChannelName.MAIL: self.mail, ChannelName.WEBHOOK: self.webhook}
        order = sorted(ChannelName, key=lambda name: name is not self.first)
        return tuple(name for name in order if there[name] is not None)
