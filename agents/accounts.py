"""Names of a desktop's only user: pure text of the account files that a sandbox shows instead of the machine's.

Counterpart: `agents.desktop`, which writes them, and `agents.sandbox`, which binds them. Programs need a name for the
user number they run under (terminals, D-Bus, file dialogs); the machine's own account files stay untouched and unseen.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_LOGIN: Final = re.compile(r"[a-z_][a-z0-9_.-]{0,30}")
_FALLBACK: Final = "user"
_RESERVED: Final = frozenset({"root", "nobody", "daemon", "bin", "sys"})


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the programs of the desktop see them."""

    login: str
    full_name: str
    uid: int

    @property
    def home(self) -> str:
        """Home folder inside the sandbox."""
        return f"/home/{self.login}"


def account(username: str, display_name: str, uid: int) -> Account:
    """Fit a directory's names into what account files can hold.

    The login becomes a folder name and an environment value inside the sandbox, so anything but a plain name becomes
    "user"; the full name loses the characters that separate fields.
    """
    login = username.lower()
    if _LOGIN.fullmatch(login) is None or login in _RESERVED:
        login = _FALLBACK
    return Account(login=login, full_name=_field(display_name), uid=uid)


def passwd_text(person: Account) -> str:
    """/etc/passwd of the sandbox: root and nobody for listings, and the person."""
    return (
        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
        f"{person.login}:x:{person.uid}:{person.uid}:{person.full_name}:{person.home}:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )


def group_text(person: Account) -> str:
    """/etc/group of the sandbox."""
    return f"root:x:0:\n{person.login}:x:{person.uid}:\ntty:x:5:\nnogroup:x:65534:\n"


def _field(text: str) -> str:
    kept = "".join(char for char in text if char not in ":,\\" and not unicodedata.category(char).startswith("C"))
    return kept.strip()
