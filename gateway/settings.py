"""The whole settings file: the gateway composes the sections of all packages. Counterpart: `common.settings.load`."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from auth.settings import AuthSettings
from broker.settings import BrokerSettings
from common.settings import Section
from gateway.notices.settings import NoticeSettings
from gateway.planning import PlanningSettings
from gateway.reports.settings import ReportSettings
from policy.bcp.settings import BcpSettings
from policy.settings import PolicySettings


class TenantSettings(Section):
    """The municipality that this installation serves."""

    id: str = Field("city", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="Short name, stored with every row.")
    name_ja: str = Field(min_length=1, max_length=60, description="Name on the pages, in Japanese.")
    name_en: str = Field(min_length=1, max_length=60, description="Name on the pages, in English.")


class DatabaseSettings(Section):
    """Where state lives."""

    url: str = Field(
        description="`sqlite:///path/to/file` (one gateway) or `postgresql://user:password@host/name` (several)."
    )
    auto_upgrade: bool = Field(True, description="Bring the schema up to date when the gateway starts.")


class HttpSettings(Section):
    """The public face."""

    host: str = Field("0.0.0.0", description="Address to listen on.")
    port: int = Field(8443, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    origins: tuple[str, ...] = Field(
        min_length=1,
        description="Addresses that people type, such as `https://telework.example.jp`; other pages are refused.",
    )
    certificate_file: Path | None = Field(None, description="PEM certificate chain. None: TLS ends at a named proxy.")
    key_file: Path | None = Field(None, description="PEM private key of the certificate.")
    proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody else's are."
    )
    web_root: Path | None = Field(None, description="Folder of the built web client; None: the one in the package.")
    stop_seconds: float = Field(10, ge=0, le=120, description="How long running requests may take when stopping.")
    header_seconds: int = Field(15, ge=2, le=120, description="A connection that sends no whole request is closed.")

    @model_validator(mode="after")
    def _tls_here_or_at_a_proxy(self) -> Self:
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file go together")
        if self.certificate_file is None and not self.proxies:
            raise ValueError("give certificate_file and key_file, or name the proxies that end TLS")
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme != "https" or not parts.netloc or origin != f"https://{parts.netloc}":
                raise ValueError("each of origins must look like https://name or https://name:port")
        return self


class AdminSettings(Section):
    """Who administers."""

    groups: tuple[str, ...] = Field((), description="Directory groups whose members may use the admin API.")
    socket: Path | None = Field(
        None, description="Unix socket (0600) on which the `kakehashi` command reaches the admin API on this machine."
    )


class RoleSettings(Section):
    """Who has which part in BCP mode, by directory group. Administrators can be neither coordinator nor approver."""

    coordinator_groups: tuple[str, ...] = Field((), description="May propose, narrow and lift declarations.")
    approver_groups: tuple[str, ...] = Field((), description="May also give the second signature.")
    auditor_groups: tuple[str, ...] = Field((), description="May look at everything of BCP mode and change nothing.")


class AuditSettings(Section):
    """The audit chain of this node."""

    key_file: Path = Field(description="Ed25519 key that signs checkpoints; created when missing. Keep a copy.")
    spool_file: Path | None = Field(
        None,
        description="Where events wait while the database is away (mode 0600); None: beside `key_file`. With SQLite, "
        "give it a disk of its own.",
    )
    spool_mb: int = Field(
        256, ge=1, le=65_536, description="Greatest size of that file, in MiB; nothing new begins when it is full."
    )

    def spool_for(self, node_id: str) -> Path:
        """The file of a node: gateways that share a folder do not share it."""
        return self.spool_file or self.key_file.with_name(f"audit-spool-{node_id}.jsonl")


class RelaySettings(Section):
    """Limits of the relay."""

    max_width: int = Field(8192, ge=640, le=16384, description="Widest desktop picture, in pixels.")
    max_height: int = Field(8192, ge=480, le=16384, description="Highest desktop picture, in pixels.")


class MetricsSettings(Section):
    """Figures for a monitoring system, at `/metrics` on a listener of their own. There is no log-in: keep it inside."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on: this machine, or one of the administration network."
    )
    port: int | None = Field(
        None, ge=0, le=65535, description="TCP port, such as 9464; 0 takes a free one. None: no figures."
    )


class LogSettings(Section):
    """What the gateway writes on standard error."""

    format: Literal["json", "console"] = Field("json", description="`json` for services, `console` for people.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least important level written.")


class Settings(Section):
    """The settings file."""

    node_id: str = Field(
        "node-1",
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="Name of this gateway; each has its own audit chain.",
    )
    secrets_file: Path = Field(description="Key ring that seals secrets in the database; created when missing.")
    tenant: TenantSettings = Field(description="The municipality.")
    database: DatabaseSettings = Field(description="Where state lives.")
    http: HttpSettings = Field(description="The public face.")
    admin: AdminSettings = Field(default_factory=AdminSettings, description="Who administers.")
    bcp: BcpSettings = Field(default_factory=BcpSettings, description="Declarations, plans, officials.")
    notices: NoticeSettings = Field(default_factory=NoticeSettings, description="How people are told.")
    reports: ReportSettings = Field(default_factory=ReportSettings, description="After-action reports.")
    planning: PlanningSettings = Field(
        default_factory=PlanningSettings, description="What forecasts of seats, lines and the gateway reckon with."
    )
    roles: RoleSettings = Field(default_factory=RoleSettings, description="Who has which part in BCP mode.")
    auth: AuthSettings = Field(description="Directory, second factors, web sessions.")
    policy: PolicySettings = Field(description="The rules.")
    broker: BrokerSettings = Field(default_factory=BrokerSettings, description="Desktops and sessions.")
    relay: RelaySettings = Field(default_factory=RelaySettings, description="Limits of the relay.")
    audit: AuditSettings = Field(description="The audit chain.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="Figures for a monitoring system.")
    log: LogSettings = Field(default_factory=LogSettings, description="The log.")
