"""The two settings files of the demo, written as an administrator would write them.

Counterparts: `gateway.settings` and `agents.settings`, which read them like any other; the demo has no way of its own
to configure either program.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.settings import AgentSettings
from common.settings import Section, load
from gateway.demo import city, directory
from gateway.demo.folder import DemoFolder
from gateway.demo.pki import Pair, write_private
from gateway.settings import Settings

_ROOT_UID: Final = 0


class AgentFile(Section):
    """The agent's whole file: one section."""

    agent: AgentSettings


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the demo listens: `names` are what people may type, the first one is printed."""

    listen: str
    names: tuple[str, ...]
    port: int
    directory_port: int

    @property
    def url(self) -> str:
        """What to open in the browser."""
        return f"https://{self.names[0]}:{self.port}"

    @property
    def origins(self) -> list[str]:
        """All addresses under which the pages may be opened."""
        return [f"https://{name}:{self.port}" for name in self.names]


@dataclass(frozen=True, slots=True)
class GatewayFiles:
    """Files that the gateway's settings name."""

    settings: Path
    tls: Pair
    directory_ca: Path
    policy: Path
    plans: Path
    admin_socket: Path


def gateway_files(place: DemoFolder) -> GatewayFiles:
    """Where they lie: all inside the gateway's own folder, so that it needs nothing else."""
    own = place.gateway
    return GatewayFiles(
        settings=own / "gateway.toml",
        tls=Pair(own / "gateway.pem", own / "gateway.key"),
        directory_ca=own / "directory-ca.pem",
        policy=own / "policy.yaml",
        plans=own / "bcp-plans.yaml",
        admin_socket=own / "admin.sock",
    )


def agent_socket(place: DemoFolder) -> Path:
    """On which the agent takes the gateway's orders."""
    return place.agent / "control.sock"


def write_gateway(place: DemoFolder, addresses: Addresses, *, service_password: str, with_agent: bool) -> GatewayFiles:
    """Write and check the gateway's file. Raises ConfigError when the gateway would refuse it."""
    files = gateway_files(place)
    agent = f"[broker.agent]\nsocket = {_text(agent_socket(place))}\n" if with_agent else ""
    write_private(files.settings, _gateway_toml(place, files, addresses, service_password, agent).encode())
    load(Settings, files.settings, env={})
    return files


def write_agent(place: DemoFolder) -> Path:
    """Write and check the session host's file. Raises ConfigError."""
    path = place.agent / "agent.toml"
    owner = place.gateway_account.uid if place.gateway_account else _ROOT_UID
    text = f"""[agent]
socket_path = {_text(agent_socket(place))}
socket_owner_uid = {owner}
state_dir = {_text(place.agent / "state")}
homes_dir = {_text(place.agent / "homes")}
runtime_dir = {_text(place.agent / "run")}
max_desktops = 8
"""
    write_private(path, text.encode())
    load(AgentFile, path, env={})
    return path


def _gateway_toml(
    place: DemoFolder, files: GatewayFiles, addresses: Addresses, service_password: str, agent: str
) -> str:
    own = place.gateway
    return f"""# Written by the demo at every start; edit deploy/gateway.example.toml for a real installation.
node_id = "demo"
secrets_file = {_text(own / "keyring")}

[tenant]
id = {_text(city.TENANT)}
name_ja = {_text(city.NAME_JA)}
name_en = {_text(city.NAME_EN)}

[database]
url = {_text(f"sqlite:///{own / 'kakehashi.db'}")}

[http]
host = {_text(addresses.listen)}
port = {addresses.port}
origins = {json.dumps(addresses.origins)}
certificate_file = {_text(files.tls.certificate)}
key_file = {_text(files.tls.key)}
stop_seconds = 3

[admin]
groups = [{_text(city.IT_STAFF)}]
socket = {_text(files.admin_socket)}

[auth.ldap]
ca_file = {_text(files.directory_ca)}
bind_dn = {_text(directory.SERVICE_DN)}
bind_password = {_text(service_password)}
base_dn = {_text(directory.PEOPLE_DN)}
group_base_dn = {_text(directory.GROUPS_DN)}
user_filter = "(objectClass=inetOrgPerson)"
decoy_dn = {_text(directory.DECOY_DN)}

[[auth.ldap.servers]]
host = "127.0.0.1"
port = {addresses.directory_port}

[auth.throttle]
directory_lockout_tries = {directory.LOCKOUT_TRIES}
directory_lockout_window_seconds = 1800

[auth.vouch]
groups = [{_text(city.IDENTITY_CHECK)}]

[auth.emergency_card]
contact_ja = "情報政策課 ヘルプデスク(内線 1234)"
contact_en = "IT help desk (ext. 1234)"

[policy]
path = {_text(files.policy)}

[bcp]
plans_file = {_text(files.plans)}
# 計画のファイルを書き換えると、すぐに読み込みます。 A changed file of plans is read at once.
poll_seconds = 2
bundle_file = {_text(own / "bcp-bundle.json")}

[[bcp.officials]]
username = "ikeda.nobuo"
rank = 1
title_ja = "危機管理監"
title_en = "Head of crisis management"

[[bcp.officials]]
username = "suzuki.ichirou"
rank = 2
title_ja = "総務課長"
title_en = "Head of general affairs"

[roles]
coordinator_groups = [{_text(city.BCP_HQ)}]
approver_groups = [{_text(city.BCP_HQ)}]
auditor_groups = [{_text(city.AUDIT)}]

[audit]
key_file = {_text(own / "audit.key")}

[log]
format = "console"

{agent}"""


def _text(value: object) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(str(value), ensure_ascii=False)
