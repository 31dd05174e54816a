"""User names as people type them, brought to one spelling. Pure. Counterpart: the directory's own matching rules."""

import unicodedata
from typing import Final

MAX_USERNAME_CHARS: Final = 256


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
