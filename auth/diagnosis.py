"""Examines each directory server of the settings for `kakehashi doctor`, and says what to fix. Changes nothing.

Counterpart: `gateway/doctor.py` prints it. Every server is asked by itself, without the pool's failover, because a dead
second server is only noticed on the day the first one dies.
"""

from dataclasses import dataclass

from auth.directory import Cause, Unreachable
from auth.ldap_directory import LdapDirectory
from auth.settings import LdapSettings
from common.clock import SystemClock


@dataclass(frozen=True, slots=True)
class ServerFinding:
    """One server looked at."""

    server: str
    ok: bool
    text: str
    remedy: str = ""


async def diagnose(settings: LdapSettings) -> list[ServerFinding]:
    """In the order of the settings. Raises ConfigError when a certificate file cannot be read."""
    return [await _examine(settings, place) for place in range(len(settings.servers))]


async def _examine(settings: LdapSettings, place: int) -> ServerFinding:
    endpoint = settings.servers[place]
    name = f"{endpoint.host}:{endpoint.port}"
    directory = LdapDirectory(settings.model_copy(update={"servers": (endpoint,)}), SystemClock())
    try:
        result = await directory.examine()
    finally:
        await directory.close()
    if isinstance(result, Unreachable):
        return ServerFinding(name, ok=False, text=result.cause.text, remedy=_remedy(result.cause))
    kind, people = result
    if people == 0:
        return ServerFinding(
            name,
            ok=False,
            text=f"{kind}; the service account finds nobody under {settings.base_dn}",
            remedy="check base_dn, user_filter and the service account's read rights",
        )
    return ServerFinding(name, ok=True, text=f"{kind} by {endpoint.security}; people can be read")


def _remedy(cause: Cause) -> str:
    text = cause.text
    if "certificate refused" in text:
        return "check ca_file, and that the host is written as in the server's certificate"
    if "service account was refused" in text:
        return "check bind_dn and bind_password"
    if "no answer" in text or "Connect call failed" in text:
        return "check host, port and the firewall between here and there"
    return "see the text"
