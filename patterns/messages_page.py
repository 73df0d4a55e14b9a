"""The page of all messages, for people: what each says, its fields, and in every mode who says it where to whom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from patterns.address import Answer
from patterns.asyncapi_messages import Example, schemas, sentence
from patterns.asyncapi_operations import operations
from patterns.flow import table
from patterns.hops import CLIENT, ModeWirings, hops
from patterns.message import Message

Where = tuple[str, str, str, str]
"""In this mode, at this address, said by this one, heard by these."""

_POWERS = {2**53 - 1: "2⁵³ − 1", 10**18: "10¹⁸", 10**12: "10¹²"}


def generated(by_mode: Mapping[str, ModeWirings], example: Example) -> str:
    """The generated part of the page."""
    messages = _in_order(by_mode)
    places = {message: list(_where(message, by_mode)) for message in messages}
    bodies = schemas(messages)
    index = [
        (f"[{name}](#{name.lower()})", sentence(message), _names(place[2] for place in places[message]),
         _names(word.split(":")[0] for place in places[message] for word in place[3].split(", ")))
        for message in messages for name in [message.__name__]
    ]
    parts = [_rows(("message", "what it says", "said by", "heard by"), index)]
    for message in messages:
        body = bodies.pop(message.body_model().__name__)
        parts += [
            f"## {message.__name__}", sentence(message), _fields(body),
            f"```json\n{json.dumps(example(message))}\n```",
            _rows(("mode", "where", "said by", "heard by: and does"), places[message]),
        ]
    parts.append("## What messages are made of")
    for name, schema in bodies.items():
        parts += [f"### {name}", schema.get("description", ""), _fields(schema)]
    return "\n\n".join(parts)


def _in_order(by_mode: Mapping[str, ModeWirings]) -> list[type[Message]]:
    """Every message, as it appears in the flow: what clients ask, the way forward, refusals, the way back."""
    said = {one.__name__: one for each in operations(by_mode) for one in (*each.messages, *each.answers)}
    modes = sorted(by_mode, key=lambda mode: all(hop.speaker != CLIENT for hop in hops(by_mode[mode])))
    flow = dict.fromkeys(row.message for mode in modes for row in table(by_mode[mode]))
    return [said[name] for name in dict.fromkeys((*flow, *said))]


def _where(message: type[Message], by_mode: Mapping[str, ModeWirings]) -> Iterator[Where]:
    for mode, wirings in by_mode.items():
        heard: dict[tuple[str, str], dict[str, None]] = {}
        for hop in hops(wirings):
            if hop.message is message:
                heard.setdefault((str(hop.address), hop.speaker), {})[f"{hop.listener}: {hop.handler.__name__}"] = None
        for speaker in _tell_clients(message, mode, wirings):
            heard.setdefault((str(Answer()), speaker), {})[CLIENT] = None
        for (address, speaker), hearers in heard.items():
            yield mode, f"`{address}`", speaker, ", ".join(hearers)


def _tell_clients(message: type[Message], mode: str, wirings: ModeWirings) -> Iterator[str]:
    """Who answers a request with this message, when it is no service that asked."""
    heard = {hop.speaker for hop in hops(wirings) if hop.message is message and isinstance(hop.address, Answer)}
    for each in operations({mode: wirings}):
        if each.action == "receive" and message in each.answers and each.service not in heard:
            yield each.service


def _names(names: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    return _rows(("field", "what"), [
        (f"`{name}`", _kind(field) if name in required else f"optional: {_kind(field)}")
        for name, field in schema.get("properties", {}).items()
    ])


def _kind(schema: Mapping[str, Any]) -> str:
    """A field's JSON schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join("nothing" if one.get("type") == "null" else _kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}{_bounds(schema, 'minItems', 'maxItems')}"
    if schema.get("type") == "integer":
        return f"integer{_bounds(schema, 'minimum', 'maximum')}"
    kind = "text" if schema.get("type") == "string" else str(schema.get("type"))
    return "UUID" if schema.get("format") == "uuid" else f"{kind}{_bounds(schema, 'minLength', 'maxLength')}"


def _bounds(schema: Mapping[str, Any], least: str, most: str) -> str:
    low, high = schema.get(least), schema.get(most)
    upper = None if high is None else _POWERS.get(high, str(high))
    if low is None:
        return "" if upper is None else f", at most {upper}"
    return f", at least {low}" if upper is None else f", {low} to {upper}"


def _rows(headings: tuple[str, ...], rows: list[Any]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
