"""The twelve guardrails that no policy, plan or declaration widens: where each is enforced, which tests hold it. Pure.

Counterparts: `policy.guardrails` has those that are policy decisions; the others stand where they happen, none of which
asks whether anything is declared. A test reads this table and looks for every place and every test that it names.
The tests of one guardrail fail when it is taken away; the property test beside them looks for what nobody thought of.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One guardrail. `enforced` are "module:word found in it"; `tests` are "file::test"; `rules` the ids of the
    policy's guardrail rules, if it has any."""

    number: int
    name_ja: str
    name_en: str
    enforced: tuple[str, ...]
    tests: tuple[str, ...]
    rules: tuple[str, ...] = ()


_OVERLAYS: Final = "tests/property/test_bcp_overlays.py::"
_SERVICE: Final = "tests/integration/policy/test_bcp_service.py::"
_FILTER: Final = "tests/unit/gateway/rfb/test_viewer_filter.py::"
_ONE_BY_ONE: Final = "tests/unit/policy/bcp/test_twelve.py::"
_FORBIDDEN: Final = f"{_ONE_BY_ONE}test_no_declaration_opens_what_a_guardrail_forbids"
_TERMS: Final = f"{_ONE_BY_ONE}test_no_declaration_loosens_the_terms_that_a_guardrail_sets"
_STEPS: Final = "tests/unit/policy/bcp/test_declaration.py::"

TWELVE: Final[tuple[Safeguard, ...]] = (
    Safeguard(
        1,
        "全員に多要素認証",
        "A second factor for every person",
        ("policy.guardrails:TOTP", "auth.login_flow:totp"),
        (
            _FORBIDDEN,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
            "tests/integration/auth/test_degraded.py::test_the_second_factor_is_never_skipped_and_nothing_is_enrolled",
        ),
        ("GR-TOTP", "GR-TEMPORARY"),
    ),
    Safeguard(
        2,
        "データを端末に残さない（転送経路はすべて閉じる）",
        "No data lands: every redirect channel is off",
        ("gateway.rfb.viewer_filter:unknown", "policy.guardrails:CLIPBOARD-OUT"),
        (
            f"{_FILTER}test_file_transfer_chat_scaling_and_unknown_messages_end_the_session",
            _TERMS,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
        ),
        ("GR-CLIPBOARD-OUT",),
    ),
    Safeguard(
        3,
        "マイナンバー利用事務系への経路なし、1セッション1接続系",
        "No path to the My Number zone, one zone a session",
        ("policy.guardrails:MY-NUMBER", "policy.guardrails:ZONE"),
        (
            _FORBIDDEN,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
        ),
        ("GR-MY-NUMBER", "GR-ZONE"),
    ),
    Safeguard(
        4,
        "監査記録は常に有効・完全・改ざん検知可能",
        "The audit is on, complete and tamper-evident",
        ("common.audit:previous_hash", "broker.chronicle:AuditUnavailable", "policy.bcp.desk:chronicle.sign"),
        (
            "tests/integration/broker/test_sessions.py::test_nothing_begins_that_cannot_be_audited",
            f"{_SERVICE}test_nothing_is_widened_that_cannot_be_recorded",
        ),
    ),
    Safeguard(
        5,
        "透かしは常に表示",
        "The watermark is on",
        ("policy.obligations:watermark=True",),
        (
            _TERMS,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
        ),
    ),
    Safeguard(
        6,
        "TLSと証明書の検証",
        "TLS and certificate checks",
        ("auth.ldap_tls:verify", "gateway.target_connection:tls"),
        (
            "tests/integration/gateway/test_http.py::test_old_tls_is_refused",
            "tests/integration/broker/test_direct.py::test_tls_with_the_targets_own_ca_and_name",
        ),
    ),
    Safeguard(
        7,
        "団体の分離（他団体・民間から自治体の端末へは不可）",
        "Tenants are kept apart",
        ("policy.guardrails:TENANT", "policy.bcp.overlay:tenant_id"),
        (
            _FORBIDDEN,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
            f"{_SERVICE}test_one_tenants_declaration_changes_nothing_for_another",
        ),
        ("GR-TENANT",),
    ),
    Safeguard(
        8,
        "職務の分離（申請者と承認者は別人）",
        "Separation of duty: who declares does not approve",
        ("policy.bcp.declaration:_require_another", "policy.bcp.rules:same_person"),
        (
            f"{_STEPS}test_the_same_person_never_signs_twice",
            f"{_STEPS}test_a_forged_declaration_by_one_person_is_not_believed",
        ),
    ),
    Safeguard(
        9,
        "失効・退職・紛失の扱いは変わらない",
        "What is revoked, retired or lost stays so",
        ("policy.guardrails:SUSPENDED", "auth.refresh:disabled"),
        (
            _FORBIDDEN,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
            "tests/integration/auth/test_web_sessions.py::test_stale_grant_a_disabled_or_deleted_person_is_out",
        ),
        ("GR-SUSPENDED",),
    ),
    Safeguard(
        10,
        "12時間・無操作30分で再認証",
        "Sign in again after 12 hours, or 30 minutes idle",
        ("policy.guardrails:LIMITS", "policy.guardrails:PASSWORD"),
        (
            _FORBIDDEN,
            _TERMS,
            f"{_OVERLAYS}test_no_declared_plan_passes_a_guardrail",
            "tests/integration/broker/test_recovery.py::test_the_total_limit_ends_even_an_active_session",
        ),
        ("GR-LIMITS", "GR-TOTP", "GR-PASSWORD"),
    ),
    Safeguard(
        11,
        "推測攻撃への停止",
        "Lock-out against guessing",
        ("auth.throttle:blocked",),
        (
            "tests/integration/auth/test_throttle.py::test_a_hundred_addresses_cannot_make_the_directory_lock_an_account",
        ),
    ),
    Safeguard(
        12,
        "回復コードは1回限り",
        "Recovery codes work once",
        ("auth.second_factors:recovery",),
        ("tests/integration/auth/test_login.py::test_recovery_code_is_good_once_and_asks_for_a_new_authenticator",),
    ),
)
