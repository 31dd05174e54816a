"""Settings of the broker. Counterpart: the reference page, which is generated from the descriptions."""

from datetime import time
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


class TriageSettings(Section):
    """Who gets a seat when there are not enough. Classes P0 to P4 come from the register of duties."""

    round_seconds: float = Field(
        2, gt=0, le=60, description="How often queues, held seats and announced ends are looked at, in seconds."
    )
    hold_seconds: int = Field(
        120, ge=30, le=900, description="How long a ready seat is held for its person while others wait, in seconds."
    )
    credit_minutes: int = Field(
        30, ge=0, le=240, description="Who lost a seat and asks again within this time keeps their place, in minutes."
    )
    aging_minutes: int = Field(
        30, ge=5, le=1440, description="After waiting this long somebody queues one class higher, never as P0."
    )
    p0_reserve_percent: int = Field(5, ge=0, le=50, description="Seats always kept for P0, in percent of a pool.")
    p0_reserve_least: int = Field(
        5,
        ge=0,
        le=100,
        description="At least so many seats for P0; never over a quarter of the pool, nor more than there are people.",
    )
    urgent_reserve_percent: int = Field(
        30, ge=0, le=100, description="Kept for P0 and P1 together under a declaration; its plan may keep more."
    )
    idle_minutes: int = Field(
        10, ge=1, le=120, description="Under a declaration, who did nothing for longer gives the seat up first."
    )
    protected_minutes: int = Field(
        15, ge=5, le=240, description="Nobody at work is asked to make room before this time of use, in minutes."
    )
    warning_minutes: int = Field(10, ge=3, le=60, description="Warning before making room for P1, in minutes.")
    p0_warning_minutes: int = Field(3, ge=1, le=60, description="Warning before making room for P0, in minutes.")
    preemptions_per_minute: int = Field(
        10, ge=0, le=1000, description="How many people may be asked to make room within a minute. 0: nobody ever."
    )
    parked_percent: int = Field(
        30,
        ge=0,
        le=200,
        description=(
            "How many desktops of people who made room may run on beside the seats, in percent of a pool. "
            "The session host needs memory for them."
        ),
    )
    parked_minutes: int = Field(
        480,
        ge=30,
        le=1440,
        description="How long such a desktop is kept, within the session's total limit, in minutes.",
    )
    session_mbps: float = Field(
        0.5, gt=0, le=100, description="Planning value of one session on a site's line, in Mbps."
    )
    lowered_session_mbps: float = Field(
        0.25, gt=0, le=100, description="The same for a session whose picture quality was lowered, in Mbps."
    )
    line_percent: int = Field(
        70, ge=1, le=100, description="How much of a site's line sessions may fill; the rest is for other traffic."
    )
    gate_from: time = Field(time(8, 15), description="From when new starts are smoothed each day (Tokyo time).")
    gate_until: time = Field(time(9, 0), description="Until when. The same time as `gate_from`: never.")
    gate_starts_per_minute: int = Field(
        120, ge=6, le=6000, description="How many new desktops may start a minute between those times."
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
    triage: TriageSettings = Field(default_factory=TriageSettings, description="Seats when there are not enough.")
    targets: TargetSettings = Field(default_factory=TargetSettings, description="Static targets.")
    agent: AgentLinkSettings = Field(default_factory=AgentLinkSettings, description="The session host's agent.")
