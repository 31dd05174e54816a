"""RFC 6238 and RFC 4226 vectors, the window, and what counts as the same code."""

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from auth.totp import (
    NEVER,
    CodeAccepted,
    CodeReused,
    CodeWrong,
    check,
    code_at,
    counter_at,
    new_secret,
    normalise_code,
    provisioning_uri,
)

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_rfc_6238_appendix_b_sha1(seconds: int, eight_digits: str) -> None:
    """The RFC gives eight digits; ours are the last six."""
    moment = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, counter_at(moment)) == eight_digits[2:]
    assert check(RFC_SECRET, eight_digits[2:], moment, NEVER) == CodeAccepted(seconds // 30)


RFC_4226 = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226)))
def test_rfc_4226_appendix_d(counter: int, code: str) -> None:
    assert code_at(RFC_SECRET, counter) == code


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_window_is_one_step_each_way(steps: int, accepted: bool) -> None:
    secret = new_secret()
    counter = counter_at(NOW) + steps
    result = check(secret, code_at(secret, counter), NOW, NEVER)
    assert result == (CodeAccepted(counter) if accepted else CodeWrong())


def test_a_code_at_or_before_the_last_counter_is_reused() -> None:
    secret, counter = new_secret(), counter_at(NOW)
    assert check(secret, code_at(secret, counter), NOW, counter) == CodeReused()
    assert check(secret, code_at(secret, counter - 1), NOW, counter) == CodeReused()
    assert check(secret, code_at(secret, counter + 1), NOW, counter) == CodeAccepted(counter + 1)


def test_a_clock_set_back_does_not_make_old_codes_good_again() -> None:
    secret, counter = new_secret(), counter_at(NOW)
    earlier = NOW - timedelta(hours=1)
    assert check(secret, code_at(secret, counter_at(earlier)), earlier, counter) == CodeReused()


@pytest.mark.parametrize("typed", [" 123456 ", "123 456", "１２３４５６", "123　456", "123456"])
def test_spaces_and_full_width_digits_are_fine(typed: str) -> None:
    assert normalise_code(typed) == "123456"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "-12345", "١٢٣٤٥٦", "x" * 100, "12345\0", "½¼¾⅓⅔"])
def test_anything_else_is_no_code(typed: str) -> None:
    assert normalise_code(typed) is None
    assert check(new_secret(), typed, NOW, NEVER) == CodeWrong()


def test_secrets_are_160_bits_and_differ() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert len(base64.b32decode(new_secret())) == 20


def test_the_uri_is_what_authenticators_read() -> None:
    parsed = pyotp.parse_uri(provisioning_uri(RFC_SECRET, account="sato", issuer="架け橋市 テレワーク"))
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.name, parsed.issuer) == (RFC_SECRET, "sato", "架け橋市 テレワーク")
    assert (parsed.interval, parsed.digits) == (30, 6)
