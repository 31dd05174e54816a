"""What the checks prove about rules is true: nothing is called dead, covered or contradictory that is not."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.implication import contradiction, implies
from policy.model import Request
from policy.schema import PolicyDocument, When
from policy.wording import sentence
from tests.support.policy import policy
from tests.support.policy_strategies import NETWORKS, holds, requests, whens

SLOW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DOCUMENT = PolicyDocument.model_validate(policy([], networks=NETWORKS))
NARROW = ["zones", "totp_age", "suspended", "groups", "dates", "user_sessions", "hours", "days_a_week"]


@SLOW
@given(whens(1, only=NARROW), requests)
def test_a_contradiction_never_holds(when: dict[str, Any], request: Request) -> None:
    parsed = When.model_validate(when)
    if contradiction(parsed):
        assert holds(parsed, request, DOCUMENT) is not True


@SLOW
@given(whens(1, only=NARROW), whens(1, only=NARROW), requests)
def test_what_is_implied_holds(narrow: dict[str, Any], wide: dict[str, Any], request: Request) -> None:
    first, second = When.model_validate(narrow), When.model_validate(wide)
    assert implies(first, first) or "any_of" in str(narrow) or "not" in str(narrow) or "all_of" in str(narrow)
    if implies(first, second) and holds(first, request, DOCUMENT) is True:
        assert holds(second, request, DOCUMENT) is True


@SLOW
@given(st.data(), whens(1, only=NARROW), requests)
def test_a_narrowed_rule_implies_the_wider_one(more: st.DataObject, wide: dict[str, Any], request: Request) -> None:
    extra = {key: value for key, value in more.draw(whens(0)).items() if key not in wide}
    if "any_of" in str(wide) or "not" in str(wide) or "all_of" in str(wide):
        return
    assert implies(When.model_validate(wide | extra), When.model_validate(wide))


@SLOW
@given(whens(2))
def test_every_rule_can_be_told_in_words(when: dict[str, Any]) -> None:
    text_ja, text_en = sentence(When.model_validate(when))
    assert text_ja
    assert text_en
    assert "None" not in text_ja + text_en
