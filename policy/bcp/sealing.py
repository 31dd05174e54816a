"""Signs what is active and tells whether a signature is ours: one Ed25519 key a tenant, the same on every node.

Counterparts: `policy.bcp.store` keeps the key (sealed by the node's key ring) and the signatures, `policy.bcp.bundle`
the same on disk. Somebody who can write the database or the file, but has not the key ring, cannot declare anything.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common.ids import TenantId
from common.secret import Keyring
from policy.bcp.canonical import encode, spelled
from policy.bcp.model import Declaration
from policy.bcp.plan_versions import PlanVersion
from policy.bcp.plan_versions import encode as encode_version

PURPOSE: Final = "bcp-signing-key"
_DECLARATION: Final = b"kakehashi-bcp-active-declaration-1\0"
_BUNDLE: Final = b"kakehashi-bcp-bundle-1\0"
_PLAN: Final = b"kakehashi-bcp-plan-version-1\0"


class TenantKey:
    """The tenant's signing key, opened. Never leaves the memory of a node unsealed."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private: Final = private
        self._public: Final = private.public_key()

    @staticmethod
    def new_sealed(keyring: Keyring, tenant_id: TenantId) -> str:
        """A fresh key, sealed for the database and the bundle."""
        raw = Ed25519PrivateKey.generate().private_bytes_raw()
        return keyring.seal(raw, purpose=PURPOSE, owner=tenant_id)

    @classmethod
    def opened(cls, sealed: str, keyring: Keyring, tenant_id: TenantId) -> Self:
        """Raises SecretUnreadable when it was altered or is another tenant's."""
        return cls(Ed25519PrivateKey.from_private_bytes(keyring.open(sealed, purpose=PURPOSE, owner=tenant_id)))

    def sign_plan(self, version: PlanVersion) -> str:
        """The seal of a version of a plan, its state and signatures."""
        return self._sign(_PLAN + spelled(encode_version(version)))

    def is_our_plan(self, version: PlanVersion, seal: str) -> bool:
        """Whether `sign_plan` made this seal for exactly this."""
        return self._verify(_PLAN + spelled(encode_version(version)), seal)

    def sign(self, declaration: Declaration) -> str:
        """The seal of a declaration: covers everything but `seen_at`, which grows by itself."""
        return self._sign(_DECLARATION + _content(declaration))

    def is_ours(self, declaration: Declaration, seal: str | None) -> bool:
        """Whether this key sealed exactly this declaration."""
        return seal is not None and self._verify(_DECLARATION + _content(declaration), seal)

    def sign_bundle(self, content: Mapping[str, Any]) -> str:
        """The seal of a bundle's content."""
        return self._sign(_BUNDLE + spelled(dict(content)))

    def is_our_bundle(self, content: Mapping[str, Any], seal: str) -> bool:
        """Whether this key sealed exactly this content."""
        return self._verify(_BUNDLE + spelled(dict(content)), seal)

    def _sign(self, message: bytes) -> str:
        return base64.b64encode(self._private.sign(message)).decode()

    def _verify(self, message: bytes, seal: str) -> bool:
        try:
            self._public.verify(base64.b64decode(seal, validate=True), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _content(declaration: Declaration) -> bytes:
    content = encode(declaration)
    del content["seen_at"]
    return spelled(content)
