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
    "x-queue-type": (("classic", "quorum"), "unsupported queue type"),
    "x-overflow": (("drop-head", "reject-publish"), "invalid_overflow"),
    "x-dead-letter-strategy": (("at-most-once", "at-least-once"), "invalid_dlx_strategy"),
}
TIMES = ("x-message-ttl", "x-expires", "expiration")
LONGEST = 10 * 365 * 24 * 3600 * 1000
"""The longest time to live, in milliseconds: ten years."""


def refusal(queue: Queue) -> str | None:
    """Why this declaration is refused (406), or None when it is fine.

    Stricter than RabbitMQ in one point: an argument the embedded broker does not know is refused, not ignored.
    """
    arguments, where = queue.arguments, f"for queue '{queue.name}' in vhost '/'"
    quorum = arguments.get("x-queue-type") == "quorum"
    properties = (
        ("non-durable", not queue.durable), ("exclusive-owner", queue.exclusive), ("auto-delete", queue.auto_delete),
    )
    for name, given in properties:
        if quorum and given:
            return f"invalid property '{name}' {where}"
    for name, value in arguments.items():
        if name in QUORUM_ONLY and not quorum:
            return f"invalid arg '{name}' {where} of queue type rabbit_classic_queue"
        if (reason := _wrong(name, value)) is not None:
            return f"invalid arg '{name}' {where}: {reason}"
    if "x-dead-letter-routing-key" in arguments and "x-dead-letter-exchange" not in arguments:
        return f"invalid arg 'x-dead-letter-routing-key' {where}: routing_key_but_no_dlx_defined"
    return None


def _wrong(name: str, value: Any) -> str | None:
    if name not in BOTH | QUORUM_ONLY:
        return "the embedded broker does not know this argument; use RabbitMQ (RABBITMQ_URL) for it"
    if name in NUMBERS:
        return f"expected integer, got {value!r}" if type(value) is not int else _out_of_range(name, value)
    if name in CHOICES:
        choices, reason = CHOICES[name]
        return None if value in choices else f"{reason} {value!r}"
    return None if isinstance(value, str) else f"expected a string, got {value!r}"


def _out_of_range(name: str, value: int) -> str | None:
    if value < 0:
        return f"{{value_negative,{value}}}"
    if name == "x-expires" and value == 0:
        return "{value_zero,0}"
    return f"{{value_too_large,{value}}}" if name in TIMES and value > LONGEST else None


def expiration_refusal(expiration: str) -> str | None:
    """Why a message's expiration is refused (406), or None when it is fine: milliseconds, as digits."""
    digits = expiration.removeprefix("+").removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        return f"invalid expiration '{expiration}': no_integer"
    reason = _out_of_range("expiration", int(expiration))
    return None if reason is None else f"invalid expiration '{expiration}': {reason}"


def understand(queue: Queue) -> Queue:
    """Set what the queue's declaration means; answers the same queue."""
    queue.lasting = queue.durable and not queue.exclusive
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
