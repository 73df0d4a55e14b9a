"""What a message becomes on its way over AMQP's wire, which the embedded broker does not have.

Whoever publishes something RabbitMQ could never be sent should hear of it here too, and whoever receives a message
gets objects of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from patterns.amqp import Outgoing, Properties

SHORT = 255
"""The bytes in AMQP's short string: names, keys, ids."""


def carried(message: Outgoing) -> Outgoing:
    """The message as it arrives.  Raises ValueError for what AMQP cannot carry."""
    given = message.properties
    texts = [text for text in (
        message.exchange, message.routing_key, given.message_id, given.type, given.correlation_id, given.app_id,
        given.content_type, given.reply_to, given.expiration,
    ) if text]
    together = "".join(texts)
    if len(together) > SHORT or not together.isascii():  # nearly never
        for text in texts:
            _short(text)
    if given.timestamp is not None and not 0 <= given.timestamp < 2**64:
        raise _misfit(f"the timestamp {given.timestamp}")
    if not given.headers:
        return message
    properties = _with_headers(given, _table(given.headers))
    return Outgoing(message.exchange, message.routing_key, message.body, properties, message.mandatory)


def own_copy(properties: Properties, **more: Any) -> Properties:
    """The same, with headers that belong to whoever receives them, and some more of them."""
    if not properties.headers and not more:
        return properties
    own = {name: _copy(value) if type(value) in (dict, list) else value for name, value in properties.headers.items()}
    return _with_headers(properties, own | more)


def _with_headers(given: Properties, headers: dict[str, Any]) -> Properties:
    # dataclasses.replace() would do, but takes several times as long, and this is done twice for every message.
    return Properties(
        given.message_id, given.type, given.correlation_id, given.app_id, given.timestamp, given.content_type,
        given.reply_to, given.expiration, given.persistent, headers,
    )


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    return {_short(name): _value(value) for name, value in table.items()}


def _value(value: Any) -> Any:
    if type(value) is str and value.isascii():  # nearly all are
        return value
    match value:
        case str():
            _bytes(value)
            return str(value)
        case None | bool() | bytes():
            return value
        case int() if -(2**63) <= value < 2**63:
            return int(value)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
        case Decimal() if _fits(value):
            return value
        case dict():
            return _table(value)
        case list():
            return [_value(each) for each in value]
    raise _misfit(f"{value!r} in a header" if isinstance(value, int | float | Decimal) else f"a {type(value).__name__}")


def _fits(value: Decimal) -> bool:
    """Whether it is at most 255 decimals behind a 32-bit number."""
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -SHORT:
        return False
    return -(2**31) <= value.scaleb(max(0, -exponent)) < 2**31


def _short(text: str) -> str:
    if type(text) is str and text.isascii() and len(text) <= SHORT:  # nearly all are
        return text
    if len(_bytes(text)) > SHORT:
        raise _misfit(f"a name, key or id of more than {SHORT} bytes: {text[:40]!r}...")
    return str(text)


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _misfit(f"text that is not Unicode: {text[:40]!r}") from error


def _misfit(what: str) -> ValueError:
    return ValueError(f"AMQP cannot carry this: {what}")
