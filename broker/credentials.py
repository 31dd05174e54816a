"""Login of the gateway to a static target, sealed at rest. Counterpart: `common.secret.Keyring`.

The seal is bound to tenant and target, so a row copied to another target (or another municipality) cannot be opened.
The plain form exists only in a `DesktopCredential` on its way into a handshake.
"""

import json
from dataclasses import dataclass
from typing import Final

from common.errors import SecretUnreadable
from common.ids import DesktopId, TenantId
from common.secret import Keyring, Secret

_PURPOSE: Final = "desktop-credential"


@dataclass(frozen=True, slots=True)
class DesktopCredential:
    """What a target asks for: VncAuth needs the password, VeNCrypt Plain both."""

    username: str | None
    password: Secret[str]


class CredentialVault:
    """Seals and opens credentials."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, tenant_id: TenantId, desktop_id: DesktopId, credential: DesktopCredential) -> str:
        """The form for the database."""
        plain = json.dumps([credential.username, credential.password.reveal()]).encode()
        return self._keyring.seal(plain, purpose=_PURPOSE, owner=_owner(tenant_id, desktop_id))

    def open(self, tenant_id: TenantId, desktop_id: DesktopId, sealed: str) -> DesktopCredential:
        """The counterpart of `seal`. Raises SecretUnreadable."""
        plain = self._keyring.open(sealed, purpose=_PURPOSE, owner=_owner(tenant_id, desktop_id))
        match json.loads(plain):
            case [str() | None as username, str() as password]:
                return DesktopCredential(username, Secret(password))
            case _:
                raise SecretUnreadable("sealed credential has an unknown form")


def _owner(tenant_id: TenantId, desktop_id: DesktopId) -> str:
    # JSON, so that no choice of ids can make two owners equal.
    return json.dumps([tenant_id, desktop_id])
