"""Dead letters: the ``x-death`` header, and the rule that ends automatic circles.

https://www.rabbitmq.com/docs/dlx
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from patterns.broker.data import Message, Queue

REJECTED, EXPIRED, MAXLEN, DELIVERY_LIMIT = "rejected", "expired", "maxlen", "delivery_limit"


def dead_letter(message: Message, queue: Queue, reason: str, now: float) -> Message:
    """The message as it leaves this queue: to the dead-letter exchange, with one more death in its headers."""
    key = message.routing_key if queue.dead_letter_key is None else queue.dead_letter_key
    properties = replace(
        message.properties, expiration=None,  # else it would expire where it rests
        headers=_with_death(message, queue.name, reason, now),
    )
    return Message(queue.dead_letter_exchange or "", key, message.body, properties)


def _with_death(message: Message, queue: str, reason: str, now: float) -> dict[str, Any]:
    headers = dict(message.properties.headers)
    deaths = deaths_of(headers)
    known = [death for death in deaths if (death.get("queue"), death.get("reason")) == (queue, reason)]
    if known:  # its time and keys stay those of the first death; only the count grows
        death = {**known[0], "count": int(known[0].get("count", 0)) + 1}
    else:
        death = {
            "count": 1, "reason": reason, "queue": queue, "time": datetime.fromtimestamp(int(now), UTC),
            "exchange": message.exchange, "routing-keys": [message.routing_key],
        }
        if message.properties.expiration is not None:
            death["original-expiration"] = message.properties.expiration
    headers["x-death"] = [death, *(other for other in deaths if other not in known)]
    headers.setdefault("x-first-death-reason", reason)
    headers.setdefault("x-first-death-queue", queue)
    headers.setdefault("x-first-death-exchange", message.exchange)
    return headers


def deaths_of(headers: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A message's deaths, the latest first; whatever else a client put into ``x-death`` is no death."""
    deaths = headers.get("x-death")
    return [death for death in deaths if isinstance(death, Mapping)] if isinstance(deaths, list | tuple) else []


def goes_in_circles(letter: Message, queue: str) -> bool:
    """Whether a dead letter came back to a queue it died in with no client's reject on the way; it is dropped then."""
    since: list[Any] = []
    for death in deaths_of(letter.properties.headers):  # this one is the first
        since.append(death.get("reason"))
        if death.get("queue") == queue:
            return REJECTED not in since
    return False
