"""Errors as problem+json (RFC 9457). Never echoes input; the exact cause is in the log under the request id."""

import json
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from common.errors import PUBLIC, ErrorCode, KakehashiError, Throttled
from policy.bcp.model import Refusal, Refused

_BY_STATUS: Final = {
    400: ErrorCode.BAD_REQUEST,
    401: ErrorCode.NOT_SIGNED_IN,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.TOO_LARGE,
    415: ErrorCode.BAD_REQUEST,
}


def problem(
    code: ErrorCode,
    request_id: str,
    *,
    retry_after_seconds: int | None = None,
    fields: list[dict[str, str]] | None = None,
    refusal: Refusal | None = None,
) -> web.Response:
    """The answer for an error code. `fields` name what was wrong with a body: where and which rule, never the value.

    `refusal` is a step of BCP mode that was not taken: the person reads its own words.
    """
    row = PUBLIC[code]
    said = refusal or row
    body: dict[str, object] = {
        "type": f"urn:kakehashi:error:{code}",
        "title": row.text_en,
        "status": row.http_status,
        "code": code,
        "text_ja": said.text_ja,
        "text_en": said.text_en,
        "request_id": request_id,
    }
    if refusal:
        body["refusal"] = refusal.code
    headers = {}
    wait = row.retry_after_seconds if retry_after_seconds is None else retry_after_seconds
    if wait is not None:
        body["retry_after_seconds"] = wait
        headers["Retry-After"] = str(wait)
    if fields:
        body["fields"] = fields
    return web.Response(
        status=row.http_status,
        text=json.dumps(body, ensure_ascii=False),
        content_type="application/problem+json",
        headers=headers,
    )


def of_error(error: KakehashiError, request_id: str) -> web.Response:
    """The answer for one of our own errors."""
    if isinstance(error, Refused):
        return problem(error.code, request_id, refusal=error.refusal)
    retry = error.retry_after_seconds if isinstance(error, Throttled) else None
    return problem(error.code, request_id, retry_after_seconds=retry)


def of_http(error: web.HTTPException, request_id: str) -> web.Response:
    """The answer for an error of the HTTP library, whose own text could echo the path."""
    return problem(_BY_STATUS.get(error.status, ErrorCode.BAD_REQUEST), request_id)


def of_validation(error: ValidationError, request_id: str) -> web.Response:
    """The answer for a body that is not in the right form."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    fields = [{"field": ".".join(map(str, fault["loc"]))[:100], "rule": fault["type"]} for fault in faults[:10]]
    return problem(ErrorCode.BAD_REQUEST, request_id, fields=fields)
