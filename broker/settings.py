"""Settings of the broker. Counterpart: the reference page, which is generated from the descriptions."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field

from common.settings import Section


class SessionSettings(Section):
    """Desktop sessions: tickets, starts, sweeps."""

    ticket_seconds: int = Field(
        30, ge=5, le=120, description="How long a connection ticket can be redeemed, in seconds."
    )
    grant_max_age_seconds: int = Field(
        30, ge=1, le=300, description="A policy decision older than this opens no session, in seconds."
    )
    start_seconds: int = Field(
        90, ge=5, le=900, description="A desktop that is not ready after this time has failed, in seconds."
    )
    stop_seconds: int = Field(
        20, ge=1, le=120, description="How long to wait for a desktop to stop before trying again later, in seconds."
    )
    concurrent_starts: int = Field(
        4, ge=1, le=64, description="How many desktops this gateway starts at the same time; the rest wait."
    )
    heartbeat_seconds: float = Field(
        5, gt=0, le=60, description="How often this gateway confirms its hold on live sessions, in seconds."
    )
    node_lost_seconds: int = Field(
        30, ge=5, le=600, description="A gateway silent for this long is taken for dead: its viewers count as gone."
    )
    sweep_seconds: float = Field(
        5, gt=0, le=300, description="How often limits and left-over work are looked at, in seconds."
    )
    reconcile_seconds: float = Field(
        60,
        gt=0,
        le=3600,
        description="How often the session host's desktops are compared with the sessions, in seconds.",
    )
    history_days: int = Field(
        90, ge=1, le=3650, description="How long ended sessions stay listed; the audit log keeps them longer, in days."
    )


class TargetSettings(Section):
    """Which static targets the gateway may connect to."""

    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description=(
            "Networks in which static targets may lie (CIDR). Empty: none. Loopback, link-local and the gateway's own "
            "addresses are refused unless a network inside them is listed by itself, such as 127.0.0.1/32."
        ),
    )
    allowed_socket_directories: tuple[Path, ...] = Field(
        (), description="Directories in which unix sockets of static targets may lie. Empty: none."
    )
    connect_seconds: float = Field(
        10, gt=0, le=60, description="Deadline for name resolution, connection and TLS together, in seconds."
    )


class AgentLinkSettings(Section):
    """The session host's agent on this machine."""

    socket: Path | None = Field(
        None, description="Control socket of kakehashi-agent. Without it, pools of kind `agent` cannot start desktops."
    )
    answer_seconds: float = Field(
        10, gt=0, le=60, description="How long the agent may take for an answer other than a start, in seconds."
    )


class BrokerSettings(Section):
    """The broker's part of the settings file."""

    sessions: SessionSettings = Field(default_factory=SessionSettings, description="Desktop sessions.")
    targets: TargetSettings = Field(default_factory=TargetSettings, description="Static targets.")
    agent: AgentLinkSettings = Field(default_factory=AgentLinkSettings, description="The session host's agent.")
