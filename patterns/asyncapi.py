"""All that services say to each other as an AsyncAPI 3.0 document, drawn from their wirings and the messages' models.

A channel is an address of one mode.  An operation is one service that sends or receives there; the answer to an RPC
request is its ``reply``.  https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import yaml

from patterns.address import Address, Answer, Queue, Saga
from patterns.asyncapi_messages import HEADERS, Example, components, envelope, schemas
from patterns.asyncapi_operations import Operation, operations, place
from patterns.hops import ModeWirings
from patterns.message import SCHEMA_VERSION, Message

DESCRIPTION = """\
Every message between the services, in every messaging mode. A channel is an address; its name begins with the mode.
Messages are JSON; the envelope travels in AMQP's basic properties (`x-amqp-properties`) and in headers. Everything is
delivered at least once: readers know a message by its `message_id`. Readers ignore unknown fields; types may only grow
optional ones.
"""

ANSWERS = "rpc.answers"
"""The channel of all answers to RPC requests: its address is the asker's, by direct reply-to."""

_VERSION = {"bindingVersion": "0.3.0"}
_TRAITS = {
    "send": {"bindings": {"amqp": {"mandatory": True, "deliveryMode": 2, **_VERSION}}},
    "receive": {"bindings": {"amqp": {"ack": True, **_VERSION}}},
}


def document(by_mode: Mapping[str, ModeWirings], example: Example, *, service: str = "") -> dict[str, Any]:
    """The document of a whole shop, or of what one of its services sends and receives."""
    chosen = [each for each in operations(by_mode) if service in ("", each.service)]
    messages = sorted({one for each in chosen for one in (*each.messages, *each.answers)}, key=lambda one: one.__name__)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Orderflow: {service or 'every service'}", "version": SCHEMA_VERSION, "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"rabbitmq": {
            "host": "localhost:5672", "pathname": "/shop", "protocol": "amqp", "protocolVersion": "0-9-1",
            "description": "Whatever RABBITMQ_URL names.",
        }},
        "channels": _channels(chosen),
        "operations": {f"{each.service}.{each.action}.{each.channel}": _operation(each) for each in chosen},
        "components": {
            "messages": components(messages, example),
            "schemas": {"Headers": HEADERS, **schemas(messages)},
            "messageTraits": {"envelope": envelope()},
            "operationTraits": _TRAITS,
            "correlationIds": {"order": {"location": "$message.header#/order_id", "description": "The order."}},
        },
    }


def _channels(chosen: Collection[Operation]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in chosen:
        channel = found.setdefault(each.channel, {
            "address": place(each.address), "messages": {}, **_parameters(each.address),
            "bindings": {"amqp": {**_binding(each.address), **_VERSION}},
        })
        channel["messages"].update(_messages("#/components/messages", each.messages))
    answers = {answer: None for each in chosen for answer in each.answers}
    if answers:
        found[ANSWERS] = {
            "address": None, "messages": _messages("#/components/messages", answers),
            "description": "Wherever the asker listens: the request's `reply_to`.",
        }
    return found


def _operation(each: Operation) -> dict[str, Any]:
    channel = f"#/channels/{each.channel}"
    described: dict[str, Any] = {
        "action": each.action, "channel": {"$ref": channel},
        "messages": list(_messages(f"{channel}/messages", each.messages).values()),
        "tags": [{"name": each.mode}, {"name": each.service}],
        "traits": [{"$ref": f"#/components/operationTraits/{each.action}"}],
    }
    if each.lines:
        described |= _hearing(each)
    if each.answers:
        described["reply"] = {
            "address": {"location": "$message.header#/reply_to", "description": "AMQP's own property `reply_to`."},
            "channel": {"$ref": f"#/channels/{ANSWERS}"},
            "messages": list(_messages(f"#/channels/{ANSWERS}/messages", each.answers).values()),
        }
    return described


def _hearing(each: Operation) -> dict[str, Any]:
    """What AsyncAPI has no words for: the queue that is read, the keys it is bound with, the handlers."""
    heard = [line.address for line in each.lines if not isinstance(line.address, Answer)]
    keys = dict.fromkeys(address.binding for address in heard if not isinstance(address, Queue) and address.binding)
    return {
        "x-queue": heard[0].queue_for(each.service), **({"x-binding-keys": list(keys)} if keys else {}),
        "x-handlers": list(dict.fromkeys(line.handler.__name__ for line in each.lines)),
    }


def _messages(where: str, messages: Collection[type[Message]]) -> dict[str, Any]:
    return {message.__name__: {"$ref": f"{where}/{message.__name__}"} for message in messages}


def _parameters(address: Address) -> dict[str, Any]:
    if not isinstance(address, Saga):
        return {}
    return {"parameters": {"order_id": {"description": "The order's id.", "location": "$message.header#/order_id"}}}


def _binding(address: Address) -> dict[str, Any]:
    if isinstance(address, Queue):
        return {"is": "queue", "queue": {"name": address.name, "durable": True, "exclusive": False, "autoDelete": False}}
    if isinstance(address, Answer):
        return {}
    exchange = {"name": address.exchange, "type": address.kind, "durable": True, "autoDelete": False}
    return {"is": "routingKey", "exchange": exchange}


def as_yaml(described: Mapping[str, Any]) -> str:
    """The document as a person reads it."""
    return yaml.dump(
        described, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    )


class _Readable(yaml.SafeDumper):
    """Long text as a block; nothing named here and meant there."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (yaml's signature)
        """Always."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)
