"""The messages of an AsyncAPI document: what each says, its body and headers as JSON schemas, an example."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from patterns.envelope import TRACEPARENT
from patterns.message import SCHEMA_VERSION, Message

Example = Callable[[type[Message]], dict[str, Any]]
"""Answers the body of an example of each message."""

HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "mode", "schema_version"],
    "properties": {
        "order_id": {"type": "string", "format": "uuid", "description": "The order this is about."},
        "mode": {"type": "string", "description": "The mode it travels in."},
        "schema_version": {
            "type": "string", "pattern": r"^\d+\.\d+$", "examples": [SCHEMA_VERSION],
            "description": "Major.minor of this language; readers park what has another major version.",
        },
        "causation_id": {"type": "string", "description": "The message_id of the message that caused this one."},
        "traceparent": {
            "type": "string", "pattern": f"^{TRACEPARENT}$",
            "description": "The trace it belongs to: https://www.w3.org/TR/trace-context/",
        },
        "deadline": {
            "type": "integer", "description": "When the order's time is over, in seconds since 1970; information only.",
        },
        "attempt": {"type": "integer", "minimum": 1, "description": "How often a handler has failed on it before."},
        "last_error": {"type": "string", "description": "Why the handler failed the last time."},
    },
}
"""The headers of every message of ours; those of AMQP itself are in :data:`PROPERTIES`."""

PROPERTIES: dict[str, str] = {
    "message_id": "uuid5(order_id, type and address): the same message said again has the same id, and is heard once",
    "type": "the message's name, as in bindings.amqp.messageType",
    "correlation_id": "the order's id; in the answer to an RPC request, the request's message_id",
    "app_id": "the service that says it",
    "timestamp": "when it was published, in seconds since 1970",
    "content_type": "application/json",
    "reply_to": "RPC requests only: where the answer goes",
    "delivery_mode": "2, persistent",
}
"""AMQP's own properties, which AsyncAPI keeps apart from the headers."""


class _Untitled(GenerateJsonSchema):
    """JSON schemas without the titles that only repeat the fields' names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (pydantic's signature)
        """Never."""
        return False


def schemas(messages: Iterable[type[Message]]) -> dict[str, Any]:
    """The body of each message, and what it is made of, as JSON schemas by name."""
    models = [(message.body_model(), _as_written(message)) for message in messages]
    _, found = models_json_schema(models, ref_template="#/components/schemas/{model}", schema_generator=_Untitled)
    return {name: _plain(schema) for name, schema in sorted(found["$defs"].items())}


def components(messages: Iterable[type[Message]], example: Example) -> dict[str, Any]:
    """The document's messages by name; what all have in common is their trait, the envelope."""
    return {message.__name__: {
        "name": message.__name__,
        "summary": sentence(message),
        "payload": {"$ref": f"#/components/schemas/{message.body_model().__name__}"},
        "bindings": {"amqp": {"messageType": message.__name__, "bindingVersion": "0.3.0"}},
        "examples": [{"name": "example", "payload": example(message)}],
        "traits": [{"$ref": "#/components/messageTraits/envelope"}],
    } for message in messages}


def envelope() -> dict[str, Any]:
    """What every message has in common."""
    return {
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "correlationId": {"$ref": "#/components/correlationIds/order"},
        "x-amqp-properties": PROPERTIES,
    }


def sentence(documented: type[BaseModel]) -> str:
    """The first paragraph of a docstring, in Markdown."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].replace("``", "`").split())


def _as_written(message: type[Message]) -> JsonSchemaMode:
    """Our own messages as we write them; what clients say as we read it."""
    return "serialization" if message.body_model() is message else "validation"


def _plain(schema: Any) -> Any:
    """A schema whose descriptions are Markdown, and whose nothings are left out."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    said = {name: value for name, value in schema.items() if (name, value) != ("default", None)}
    kept = {name: _plain(value) for name, value in said.items() if name != "title" or isinstance(value, dict)}
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].replace("``", "`").split())
    return kept
