"""Small parts of the kernel: ids, error table, log redaction, tasks."""

import asyncio
from typing import Any

import pytest

from common import errors
from common.errors import PUBLIC, ErrorCode, KakehashiError
from common.ids import new_id, new_token, token_hash
from common.log import redact
from common.tasks import TaskScope


def test_ids_are_unguessable_and_plain() -> None:
    ids = {new_id("ses") for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(len(i) == 30 and i.replace("_", "").isalnum() and i.islower() for i in ids)
    assert len(new_token()) == 43
    assert token_hash("a") != token_hash("b")


def test_every_code_has_a_row_in_both_languages() -> None:
    assert set(PUBLIC) == set(ErrorCode)
    for row in PUBLIC.values():
        assert row.text_ja.endswith("。")
        assert row.text_en.isascii()
        assert 400 <= row.http_status < 600
        assert 1000 <= row.ws_close < 5000


def test_every_error_class_has_its_own_doc_and_a_code_of_the_table() -> None:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, KakehashiError):
            assert value.__doc__
            assert value.code in PUBLIC


def test_details_never_become_public() -> None:
    error = errors.TargetUnreachable("10.1.2.3 refused")
    assert "10.1.2.3" not in error.public.text_ja + error.public.text_en


@pytest.mark.parametrize("key", ["password", "bind_password", "ticket", "Cookie", "totp_secret", "csrf_token"])
def test_log_hides_secrets(key: str) -> None:
    assert redact(None, "info", {key: "hunter2"}) == {key: "<redacted>"}


def test_log_caps_and_escapes_input() -> None:
    event: Any = redact(None, "info", {"user": "a" * 10_000, "other": "x\n2026 forged line\x1b[2J", "name": "髙橋 𠮷"})
    assert len(event["user"]) < 600
    assert event["other"] == "x\\n2026 forged line\\x1b[2J"
    assert event["name"] == "髙橋 𠮷"


async def test_a_scope_ends_its_tasks() -> None:
    scope = TaskScope()
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    task = scope.spawn(work(), name="work")
    await asyncio.sleep(0)
    await scope.close()
    assert task.cancelled()
    assert cleaned.is_set()
