"""What people type and where they come from, brought to one spelling. Pure.

Counterparts: the directory's own matching rules, and the counters of `auth/gate.py`.
"""

import unicodedata
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

MAX_USERNAME_CHARS: Final = 256
_ONE_LINE_BITS: Final = 64


def normalise_username(typed: str) -> str | None:
    """NFKC and trimmed, as directories match (full-width letters become plain ones). None: can be nobody's."""
    if not typed or len(typed) > MAX_USERNAME_CHARS:
        return None
    name = unicodedata.normalize("NFKC", typed).strip()
    unprintable = any(unicodedata.category(c) in ("Cc", "Cs") for c in name)
    return None if not name or len(name) > MAX_USERNAME_CHARS or unprintable else name


def throttle_name(typed: str) -> str:
    """What counts as one name for throttling: case and spaces do not matter, as they do not in a directory."""
    return " ".join((normalise_username(typed) or typed[:MAX_USERNAME_CHARS]).casefold().split())


def account_of(directory_key: str) -> str:
    """What counts as one account for throttling, however its name is spelled."""
    return f"entry:{directory_key}"


def source_of(address: str) -> str:
    """What counts as one address for throttling: of IPv6 the /64, for every line at home has as many as it likes."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _ONE_LINE_BITS), strict=False))
