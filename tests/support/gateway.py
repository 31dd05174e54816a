"""The gateway in this process, as `gateway/run.py` serves it, with a real directory and a real database."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import trustme

from common.clock import Clock
from common.settings import load
from gateway.app import build
from gateway.run import Listeners
from gateway.settings import Settings
from tests.support.ports import free_port
from tests.support.slapd import DECOY_DN, GROUPS_DN, PEOPLE_DN, SERVICE_DN, SERVICE_PASSWORD, Slapd

POLICY = """
format: 1
name: {ja: 試験, en: Test}
rules:
  - id: T-01
    effect: permit
    name: {ja: テレワーク, en: Telework}
    when: {groups: [telework], totp_age: {at_most: 12h}}
"""


CLI_CONFIG = """
secrets_file = "keys"
[tenant]
id = "city"
name_ja = "試験市"
name_en = "Test City"
[database]
url = "sqlite:///unused.db"
[http]
origins = ["https://127.0.0.1"]
certificate_file = "tls.pem"
key_file = "tls.key"
[admin]
socket = "{socket}"
[auth.ldap]
bind_dn = "cn=x"
bind_password = "x"
base_dn = "dc=x"
[[auth.ldap.servers]]
host = "127.0.0.1"
[policy]
path = "policy.yaml"
[audit]
key_file = "audit.key"
"""
"""Settings of a command that reaches the gateway at {socket}."""


@dataclass(frozen=True)
class Running:
    """A gateway that answers."""

    url: str
    settings: Settings
    listeners: Listeners

    async def admin(self, method: str, path: str, content: object = None) -> tuple[int, Any]:
        """A request on the local socket."""
        return await ask_admin(self.settings, method, path, content)


async def ask_admin(own: Settings, method: str, path: str, content: object = None) -> tuple[int, Any]:
    """A request on the local socket of the gateway with these settings."""
    connector = aiohttp.UnixConnector(str(own.admin.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.request(method, f"http://local/api/v1/admin{path}", json=content) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text else None


def settings(folder: Path, slapd: Slapd, database_url: str, **over: Any) -> Settings:
    """Settings of a gateway whose files lie in `folder`. `over` replaces whole sections."""
    return load(Settings, None, variables(folder, slapd, database_url, **over))


def variables(folder: Path, slapd: Slapd, database_url: str, **over: Any) -> dict[str, str]:
    """The same as environment variables, for a gateway that is a program of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    web, policy = folder / "web", folder / "policy.yaml"
    web.mkdir(exist_ok=True)
    (web / "index.html").write_text("<!doctype html><title>page</title>")
    (web / "assets").mkdir(exist_ok=True)
    (web / "assets" / "app-1a2b.js").write_text("export const answer = 42;\n" * 100)
    policy.write_text(POLICY, "utf-8")
    port = free_port()
    certificate, key = trusted_pair(folder)
    values: dict[str, Any] = {
        "node_id": "test",
        "secrets_file": folder / "keys.json",
        "tenant": {"id": "city", "name_ja": "試験市", "name_en": "Test City"},
        "database": {"url": database_url},
        "http": {
            "host": "127.0.0.1",
            "port": port,
            "origins": [f"https://127.0.0.1:{port}"],
            "certificate_file": certificate,
            "key_file": key,
            "web_root": web,
            "stop_seconds": 2,
            "header_seconds": 2,
        },
        "admin": {"groups": ["it"], "socket": folder / "admin.sock"},
        "auth": {"ldap": ldap(slapd)},
        "policy": {"path": policy, "poll_seconds": 0.1},
        "broker": {"targets": {"allowed_networks": ["127.0.0.1/32"], "allowed_socket_directories": [folder]}},
        "audit": {"key_file": folder / "audit.pem"},
        "bcp": {"bundle_file": folder / "bcp-bundle.json"},
    }
    for section, value in over.items():
        values[section] = values.get(section, {}) | value
    return {f"KAKEHASHI_{name.upper()}": _text(value) for name, value in values.items()}


def ldap(*servers: Slapd) -> dict[str, Any]:
    """The section for these servers, which are asked in this order and share a CA and their content."""
    return {
        "servers": [{"host": server.host, "port": server.ldaps_port} for server in servers],
        "ca_file": servers[0].ca_file,
        "bind_dn": SERVICE_DN,
        "bind_password": SERVICE_PASSWORD,
        "base_dn": PEOPLE_DN,
        "group_base_dn": GROUPS_DN,
        "decoy_dn": DECOY_DN,
    }


def _text(value: object) -> str:
    return json.dumps(value, default=str) if isinstance(value, dict) else str(value)


def trusted_pair(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key; its CA lies beside them as `tls-ca.pem`."""
    certificate, key = folder / "tls.pem", folder / "tls.key"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "tls-ca.pem")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    return certificate, key


@asynccontextmanager
async def run_gateway(own: Settings, *, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Serve until the end of the block, by the machine's clock unless given another."""
    listeners = Listeners(await build(own, clock=clock), own)
    try:
        await listeners.start()
        scheme = "https" if own.http.certificate_file else "http"
        yield Running(f"{scheme}://127.0.0.1:{listeners.port}", own, listeners)
    finally:
        await listeners.stop()
