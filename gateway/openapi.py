"""The OpenAPI 3.1 document, made from the route table and the models of its bodies: it cannot differ from them."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.headers import SESSION_COOKIE
from gateway.permissions import Permission
from gateway.routes import Route

_REF: Final = "#/components/schemas/{model}"
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "code", "text_ja", "text_en", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "text_ja": {"type": "string"},
        "text_en": {"type": "string"},
        "request_id": {"type": "string"},
        "retry_after_seconds": {"type": "integer"},
        "fields": {"type": "array", "items": {"type": "object"}},
        "refusal": {"type": "string"},
    },
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document."""
    models: set[type[BaseModel]] = {model for route in routes for model in (route.body, route.answer) if model}
    ordered = sorted(models, key=lambda model: model.__name__)
    modes = [(m, "validation" if any(r.body is m for r in routes) else "serialization") for m in ordered]
    _, schemas = models_json_schema(modes, ref_template=_REF)  # type: ignore[arg-type]  # the literal types are lost in the list
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.path.startswith("/api/") and not route.websocket:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kakehashi", "version": "1", "description": "Telework gateway API"},
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if route.answer:
        done["content"] = {"application/json": {"schema": {"$ref": _REF.format(model=route.answer.__name__)}}}
    if route.stream:
        done["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "x-permission": route.permission,
        "responses": {
            str(route.status): done,
            "default": {
                "description": "Problem",
                "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
            },
        },
    }
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if route.body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=route.body.__name__)}}},
        }
    if route.permission in (Permission.SIGNED_IN, Permission.ADMIN):
        operation["security"] = [{"session": []}]
    return operation
