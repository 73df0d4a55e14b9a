"""A queue's arguments: what they mean, and which ones RabbitMQ refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.broker.data import Queue

BOTH = {
    "x-queue-type", "x-message-ttl", "x-expires", "x-dead-letter-exchange", "x-dead-letter-routing-key",
    "x-max-length", "x-overflow",
}
QUORUM_ONLY = {"x-delivery-limit", "x-dead-letter-strategy"}
NUMBERS = ("x-message-ttl", "x-expires", "x-max-length", "x-delivery-limit")
CHOICES = {
    "x-queue-type": ("classic", "quorum"),
    "x-overflow": ("drop-head", "reject-publish"),
    "x-dead-letter-strategy": ("at-most-once", "at-least-once"),
}


def refusal(queue: Queue) -> str | None:
    """Why this declaration is refused (406), or None when it is fine.

    Stricter than RabbitMQ in one point: an argument the embedded broker does not know is refused, not ignored.
    """
    arguments = queue.arguments
    quorum = arguments.get("x-queue-type") == "quorum"
    if quorum:
        for name, wrong in (
            ("durable", not queue.durable), ("auto-delete", queue.auto_delete), ("exclusive", queue.exclusive),
        ):
            if wrong:
                return f"invalid property '{name}' for queue '{queue.name}' in vhost '/'"
    for name, value in arguments.items():
        if (reason := _wrong(name, value, quorum)) is not None:
            return f"invalid arg '{name}' for queue '{queue.name}' in vhost '/': {reason}"
    if "x-dead-letter-routing-key" in arguments and "x-dead-letter-exchange" not in arguments:
        return (f"invalid arg 'x-dead-letter-routing-key' for queue '{queue.name}' in vhost '/': "
                "routing_key_but_no_dlx_defined")
    return None


def _wrong(name: str, value: Any, quorum: bool) -> str | None:
    if name not in BOTH | QUORUM_ONLY:
        return "the embedded broker does not know this argument; use RabbitMQ (RABBITMQ_URL) for it"
    if name in QUORUM_ONLY and not quorum:
        return "only quorum queues have it"
    if name in NUMBERS and (type(value) is not int or value < (name == "x-expires")):
        return f"{value!r} is not a number that makes sense here"
    if name in CHOICES and value not in CHOICES[name]:
        return f"{value!r} is none of {', '.join(CHOICES[name])}"
    return None


def understand(queue: Queue) -> Queue:
    """Set what the queue's arguments mean; answers the same queue."""
    arguments: Mapping[str, Any] = queue.arguments
    queue.quorum = arguments.get("x-queue-type") == "quorum"
    ttl, expires = arguments.get("x-message-ttl"), arguments.get("x-expires")
    queue.ttl = None if ttl is None else ttl / 1000
    queue.expires = None if expires is None else expires / 1000
    queue.dead_letter_exchange = arguments.get("x-dead-letter-exchange")
    queue.dead_letter_key = arguments.get("x-dead-letter-routing-key")
    queue.max_length = arguments.get("x-max-length")
    queue.rejects = arguments.get("x-overflow") == "reject-publish"
    queue.delivery_limit = arguments.get("x-delivery-limit")
    # RabbitMQ falls back to at-most-once, too, when the queue may drop its head.
    queue.keeps_dead = arguments.get("x-dead-letter-strategy") == "at-least-once" and queue.rejects
    return queue
