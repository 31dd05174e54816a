"""What a body of a request may hold."""

import pytest
from pydantic import ValidationError

from gateway.schemas import ExplainBody


def asked(at: str) -> str:
    return f'{{"username": "sato", "pool_id": "office", "at": "{at}"}}'


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+14:00",  # no year at all in UTC
        "1999-12-31T23:59:59+00:00",
        "2100-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59-14:00",
        "2026-06-03T08:30:00",  # in no zone
    ],
)
def test_the_policy_is_asked_about_no_moment_that_calendars_do_not_have(at: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ExplainBody.model_validate_json(asked(at))
    assert [fault["loc"] for fault in refused.value.errors()] == [("at",)]


@pytest.mark.parametrize("at", ["2000-01-01T00:00:00Z", "2026-06-03T08:30:00+09:00", "2099-12-31T23:59:59Z"])
def test_the_policy_is_asked_about_any_other(at: str) -> None:
    assert ExplainBody.model_validate_json(asked(at)).at is not None
