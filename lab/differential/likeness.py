"""What of an answer must be the same on both brokers: all but times, names they give out, and what 4.0 adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from patterns.amqp import DIRECT_REPLY_TO, Cancelled, Delivery
from patterns.errors import ChannelClosed

Arrived = Delivery | Cancelled


def alike(outcome: Any, named: Callable[[str], str]) -> Any:
    """An answer, without what may differ.  ``named`` says what we call a consumer."""
    match outcome:
        case ChannelClosed(code=code):
            return code
        case Exception():
            return type(outcome).__name__
        case Cancelled(queue=queue, consumer=consumer):
            return ("cancelled", queue, named(consumer))
        case Delivery():
            reply_to = outcome.properties.reply_to
            if reply_to is not None and reply_to.startswith(DIRECT_REPLY_TO):
                reply_to = DIRECT_REPLY_TO
            key = DIRECT_REPLY_TO if outcome.routing_key.startswith(DIRECT_REPLY_TO) else outcome.routing_key
            properties = replace(outcome.properties, headers=plain_headers(outcome), reply_to=reply_to)
            return replace(
                outcome, tag=None if outcome.tag is None else 0, routing_key=key, consumer=named(outcome.consumer),
                properties=properties,
            )
    return outcome


def plain_headers(delivery: Delivery) -> dict[str, Any]:
    """A delivery's headers, without what may differ."""
    headers = {name: _plain(value) for name, value in delivery.properties.headers.items()
               if not name.startswith("x-last-death-")}  # RabbitMQ 4.0 adds these to what 3.10 says
    if isinstance(deaths := headers.get("x-death"), list):
        headers["x-death"] = [*deaths[:1], *sorted(deaths[1:], key=_place)]  # 3.10 turns the others round with each death
    if headers.get("x-delivery-count") == 0:
        del headers["x-delivery-count"]  # 3.10 says 0, 4.0 says nothing
    return headers


def _place(death: Mapping[str, Any]) -> tuple[str, str]:
    return str(death.get("queue")), str(death.get("reason"))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items() if name != "time"}
        case list():
            return [_plain(each) for each in value]
    return value


def told(item: Any) -> str:
    """An answer in a few words, for whoever reads a difference."""
    match item:
        case Delivery():
            headers = {name: value for name, value in item.properties.headers.items() if not name.startswith("x-first")}
            again = " redelivered" if item.redelivered else ""
            return f"{item.body.decode()} from {item.queue} to {item.consumer or 'get'}{again} {headers or ''}".strip()
        case list() | tuple():
            return "[" + ", ".join(map(told, item)) + "]"
    return str(item)
