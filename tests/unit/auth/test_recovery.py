"""Recovery codes: shape, spelling, hashes."""

import pytest

from auth.recovery import COUNT, code_hash, new_codes, normalise
from common.ids import TenantId, UserId

CITY, SATO = TenantId("city"), UserId("usr_sato")


def test_ten_different_codes_of_eighty_bits() -> None:
    codes = new_codes()
    assert len(set(codes)) == COUNT == 10
    for code in codes:
        assert [len(part) for part in code.split("-")] == [4, 4, 4, 4]
        assert normalise(code) == code.replace("-", "")
        assert not set(code) & set("IO01")


@pytest.mark.parametrize(
    "typed",
    [
        "ABCD-EFGH-JKLM-2345",
        "abcd efgh jklm 2345",
        "ＡＢＣＤ－ＥＦＧＨ－ＪＫＬＭ－２３４５",
        " abcdefghjklm2345\n",
        "ABCD‐EFGH−JKLM—2345",
    ],
)
def test_as_people_type_them(typed: str) -> None:
    assert normalise(typed) == "ABCDEFGHJKLM2345"


@pytest.mark.parametrize(
    "typed",
    ["", "ABCD-EFGH-JKLM-234", "ABCD-EFGH-JKLM-2340", "A" * 65, "あいうえおかきくけこさしすせそた", "\ud800" * 16],
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert normalise(typed) is None


def test_the_hash_covers_tenant_and_person() -> None:
    hashes = {
        code_hash("ABCDEFGHJKLM2345", tenant, user)
        for tenant in (CITY, TenantId("town"))
        for user in (SATO, UserId("usr_suzuki"))
    }
    assert len(hashes) == 4
    assert code_hash("A", TenantId("a"), UserId("b|c")) != code_hash("A", TenantId("a|b"), UserId("c"))
