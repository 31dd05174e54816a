"""Sealed values open only for the purpose and owner they were sealed for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError, SecretUnreadable
from common.secret import Keyring, Secret

RING = Keyring({"old": b"o" * 32, "new": b"n" * 32}, "new")


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_seal_and_open(plain: bytes, purpose: str, owner: str) -> None:
    assert RING.open(RING.seal(plain, purpose=purpose, owner=owner), purpose=purpose, owner=owner) == plain


def test_a_row_copied_to_another_owner_is_refused() -> None:
    sealed = RING.seal(b"seed", purpose="totp", owner="alice")
    for purpose, owner in [("totp", "bob"), ("credential", "alice"), ("totp|alice", "")]:
        with pytest.raises(SecretUnreadable):
            RING.open(sealed, purpose=purpose, owner=owner)


@given(st.text(max_size=80))
def test_garbage_is_refused(sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        RING.open(sealed, purpose="totp", owner="alice")


def test_every_altered_character_is_refused() -> None:
    sealed = RING.seal(b"seed", purpose="totp", owner="alice")
    for place in range(len(sealed) - 2):
        altered = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(SecretUnreadable):
            RING.open(altered, purpose="totp", owner="alice")


def test_old_keys_still_open() -> None:
    sealed = Keyring({"old": b"o" * 32}, "old").seal(b"seed", purpose="p", owner="o")
    assert RING.open(sealed, purpose="p", owner="o") == b"seed"


def test_the_key_file_is_private_and_stable(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    sealed = Keyring.load_or_create(path).seal(b"x", purpose="p", owner="o")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.load_or_create(path).open(sealed, purpose="p", owner="o") == b"x"
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.load_or_create(path)
    path.chmod(0o600)
    path.write_text("{}")
    with pytest.raises(ConfigError, match="damaged"):
        Keyring.load_or_create(path)


def test_secrets_do_not_print_and_compare_by_value() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {[secret]}" == "<secret> <secret> [<secret>]"
    assert secret == Secret("hunter2")
    assert secret != Secret("other")
    assert secret != "hunter2"
