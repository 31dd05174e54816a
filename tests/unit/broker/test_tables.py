"""Small pure tables: texts, aftermath, short codes, audit names."""

import pytest

from broker.aftermath import AFTERMATH, Aftermath, aftermath
from broker.audit_names import BrokerAudit
from broker.codes import ALPHABET, LENGTH, short_code
from broker.models import EndReason
from broker.states import SessionState
from broker.texts import END_TEXT, STAGE_TEXT


def test_every_state_and_reason_has_texts_in_both_languages() -> None:
    assert set(STAGE_TEXT) == set(SessionState)
    assert set(END_TEXT) == set(EndReason)
    for text in (*STAGE_TEXT.values(), *END_TEXT.values()):
        assert text.ja
        assert not text.ja.isascii()
        assert text.en


def test_every_reason_has_an_aftermath_and_a_lost_line_keeps_the_desktop() -> None:
    assert set(AFTERMATH) == set(EndReason)
    for on_host in (True, False):
        assert aftermath(None, on_host=on_host) is Aftermath.KEEP
        assert aftermath(EndReason.PROTOCOL_VIOLATION, on_host=on_host) is Aftermath.END


def test_a_host_is_asked_before_work_is_given_up() -> None:
    for reason in (EndReason.DESKTOP_ENDED, EndReason.DESKTOP_FAILED):
        assert aftermath(reason, on_host=True) is Aftermath.CHECK
        assert aftermath(reason, on_host=False) is Aftermath.END
    assert aftermath(EndReason.TARGET_UNREACHABLE, on_host=True) is Aftermath.CHECK
    assert aftermath(EndReason.TARGET_UNREACHABLE, on_host=False) is Aftermath.KEEP


def test_reasons_are_the_names_that_clients_rely_on() -> None:
    assert {str(reason) for reason in EndReason} == {
        "user_logged_out", "signed_out", "taken_over", "idle", "total_limit", "admin", "policy", "desktop_ended",
        "desktop_failed", "target_unreachable", "protocol_violation", "gateway_stopping", "audit_unavailable",
        "preempted", "hold_lapsed",
    }  # fmt: skip


def test_short_codes_are_easy_to_say() -> None:
    codes = {short_code() for _ in range(500)}
    assert len(codes) > 490
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in codes)
    assert not set("01OILS") & set(ALPHABET)


@pytest.mark.parametrize("name", list(BrokerAudit))
def test_audit_names_are_verb_noun(name: BrokerAudit) -> None:
    verb, _, noun = name.partition("-")
    assert verb.isalpha()
    assert noun
