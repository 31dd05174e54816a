"""Settings of a session host: where the agent keeps things, whom it obeys, what one desktop may use.

Read by `agents.__main__` (section `[agent]` of its TOML file or `KAKEHASHI_AGENT__*`). Holds values and their checks
only; whether the machine fits them is `agents.preflight`'s job.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, model_validator

from common.settings import Section

_SHIPPED_DESKTOP = Path(__file__).resolve().parent.parent / "deploy" / "desktop"


class Network(StrEnum):
    """Which network a desktop sees."""

    NONE = "none"
    NAMESPACE = "namespace"
    HOST = "host"


class DesktopLimits(Section):
    """What one desktop may use of the machine."""

    memory_mib: int = Field(2048, ge=256, le=1_048_576, description="Memory of one desktop in MiB, its /tmp included.")
    cpu_percent: int = Field(
        200, ge=10, le=100_000, description="Processor time of one desktop; 100 is one whole core. Only with cgroups."
    )
    tasks: int = Field(1024, ge=100, le=100_000, description="Processes and threads of one desktop together.")
    open_files: int = Field(4096, ge=256, le=1_048_576, description="Open files of one process.")
    file_mib: int = Field(4096, ge=1, le=1_048_576, description="Largest single file a process may write, in MiB.")
    tmp_mib: int = Field(512, ge=16, le=65_536, description="Size of the private /tmp in MiB.")
    shm_mib: int = Field(512, ge=16, le=65_536, description="Size of the private /dev/shm in MiB.")


class AgentSettings(Section):
    """The session host's agent."""

    socket_path: Path = Field(
        Path("/run/kakehashi-agent/control.sock"), description="Unix socket the gateway gives its orders on."
    )
    socket_owner_uid: int = Field(
        0,
        ge=0,
        le=2**32 - 2,
        description="User number of the gateway: owner of the socket, its only permitted peer besides root.",
    )
    state_dir: Path = Field(
        Path("/var/lib/kakehashi-agent"), description="Folder of the agent's own state: user numbers, generated locale."
    )
    homes_dir: Path = Field(
        Path("/var/lib/kakehashi-homes"), description="Folder of the users' home folders, one per user id."
    )
    runtime_dir: Path = Field(
        Path("/run/kakehashi-agent/desktops"),
        description="Folder of what lives as long as a desktop: its socket, its account files. Emptied at start.",
    )
    desktop_dir: Path = Field(
        _SHIPPED_DESKTOP, description="Folder of the session start files, themes and profiles shown to every desktop."
    )
    uid_base: int = Field(70_000, ge=1000, le=2**31, description="First user number given to a desktop user.")
    uid_count: int = Field(20_000, ge=1, le=1_000_000, description="How many user numbers there are to give.")
    max_desktops: int = Field(50, ge=1, le=1000, description="Most desktops that run at a time.")
    start_timeout_seconds: float = Field(
        20.0, gt=0, le=120, description="Longest time from an order to start until the desktop is ready."
    )
    stop_timeout_seconds: float = Field(
        5.0, ge=0, le=60, description="How long programs get to end by themselves before they are killed."
    )
    network: Network = Field(
        Network.NONE,
        description="Network of the desktops: none (each has only its own loopback), namespace (the prepared network "
        "namespace named by network_namespace), host (the machine's own, its loopback services included).",
    )
    network_namespace: Path | None = Field(
        None, description="Network namespace file, for example /run/netns/office; only with network = namespace."
    )
    locale: str = Field("ja_JP.UTF-8", pattern=r"^[a-z]{2}_[A-Z]{2}\.UTF-8$", description="Language of the desktops.")
    time_zone: str = Field("Asia/Tokyo", pattern=r"^[A-Za-z]+(/[A-Za-z_]+)*$", description="Time zone of the desktops.")
    software_paths: tuple[Path, ...] = Field(
        (), description="Further folders shown read-only to every desktop, for example /opt/office."
    )
    limits: DesktopLimits = Field(DesktopLimits(), description="Limits of one desktop.")

    @model_validator(mode="after")
    def _check(self) -> AgentSettings:
        paths = (
            self.socket_path,
            self.state_dir,
            self.homes_dir,
            self.runtime_dir,
            self.desktop_dir,
            *self.software_paths,
        )
        for path in paths:
            if not path.is_absolute():
                raise ValueError(f"{path}: give an absolute path")
        if (self.network is Network.NAMESPACE) != (self.network_namespace is not None):
            raise ValueError("network_namespace belongs to network = namespace, and only to it")
        return self
