"""Short codes of sessions, to say over the phone and to read in a watermark. Counterpart: `DesktopSession.short_code`.

They name, they do not protect: nothing may be granted for knowing one.
"""

import secrets
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRTUVWXYZ"
"""Without 0/O, 1/I/L and 5/S pairs that are misread: 5 stays, S goes."""
LENGTH: Final = 4


def short_code() -> str:
    """Four characters, e.g. `K7Q2`; 810,000 of them."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
